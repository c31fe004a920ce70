"""A package is deployed: exactly what was approved, once, and tested."""

import pytest

from pipelines.delivery.deployment.order import Order
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.lifecycle import history
from tests.delivery.deployment.fake_aws import ARN, ROLE, FakeAws
from tests.delivery.deployment.fake_endpoints import Model
from tests.delivery.deployment.scenes import PRODUCTION, ROC_AUC, STAGING, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_newest_approved_version_is_deployed_and_said(scene: Scene) -> None:
    scene.add(3, approval="PendingManualApproval")
    result = scene.deploy(STAGING)
    assert (result.outcome, result.exit_code, scene.serving(STAGING)) == ("deployed", 0, 2)
    assert f"taking the newest Approved one, fraud/2 ({ARN}:model-package/fraud/2)" in scene.out.getvalue()


@pytest.mark.parametrize("named", ["1", "v1", f"{ARN}:model-package/fraud/1"])
def test_the_version_that_is_named_is_deployed_though_there_is_a_newer_one(scene: Scene, named: str) -> None:
    assert scene.deploy(STAGING, named).outcome == "deployed"
    assert scene.serving(STAGING) == 1


def test_what_is_made_is_named_after_the_version_and_its_request(scene: Scene) -> None:
    scene.deploy(STAGING, "1")
    ((model, made),) = scene.aws.models.items()
    ((config, _),) = scene.aws.configs.items()
    assert model.startswith("fraud-v1-")
    assert config.startswith("fraud-staging-v1-")
    assert made["Containers"] == [{"ModelPackageName": f"{ARN}:model-package/fraud/1"}]
    assert made["ExecutionRoleArn"] == ROLE
    variant = scene.aws.configs[config]["ProductionVariants"][0]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c5.xlarge", 1)


def test_the_same_again_tests_and_sends_no_request_that_changes_anything(scene: Scene) -> None:
    for order in (STAGING, PRODUCTION):
        scene.deploy(order, "1")
        scene.forget()
        result = scene.deploy(order, "1")
        assert (result.outcome, result.exit_code, result.changes) == ("unchanged", 0, ())
        assert scene.aws.changing() == []
        assert scene.aws.sent("InvokeEndpoint")
    assert "already serves" in scene.out.getvalue()


def test_the_test_has_the_numbers_of_the_endpoint(scene: Scene) -> None:
    report = scene.deploy(STAGING, "1").test
    assert report
    assert report.latency
    assert (report.rows, report.roc_auc, report.registered) == (40, ROC_AUC, ROC_AUC)
    assert report.latency.p95 == pytest.approx(5.0)
    assert [check.name for check in report.checks] == ["answers", "formats", "latency", "ROC AUC"]


def test_the_registry_is_told_the_stage_and_who_and_how_good(scene: Scene) -> None:
    scene.deploy(STAGING, "1")
    life = scene.aws.packages[1]["ModelLifeCycle"]
    assert (life["Stage"], life["StageStatus"]) == ("staging", "Deployed")
    assert "assumed-role/deploy/ci" in life["StageDescription"]
    assert f"{ROC_AUC:.4f}" in life["StageDescription"]


def test_what_production_says_of_a_version_is_not_lost_to_staging(scene: Scene) -> None:
    scene.deploy(PRODUCTION, "1")
    scene.deploy(STAGING, "1")
    assert scene.stage(1) == ("production", "Deployed")


@pytest.mark.parametrize("approval", ["Rejected", "PendingManualApproval"])
def test_what_is_not_approved_now_is_refused_before_anything_is_made(scene: Scene, approval: str) -> None:
    scene.add(3, approval=approval)
    with pytest.raises(DeliveryError, match=f"fraud/3 is {approval}, not Approved: approve it first"):
        scene.deploy(STAGING, "3")
    assert scene.aws.changing() == []


def test_a_package_that_is_not_complete_is_refused(scene: Scene) -> None:
    scene.aws.packages[2]["ModelPackageStatus"] = "Failed"
    with pytest.raises(DeliveryError, match="fraud/2 is Failed: only a Completed one"):
        scene.deploy(STAGING, "2")
    assert scene.aws.changing() == []


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (f"{ARN}:model-package/other/1", "is of group other"),
        (f"{ARN}:model-package/fraud/1".replace("eu-west-1", "us-east-1"), "is of region us-east-1"),
        (f"{ARN}:model-package/fraud/1".replace("111122223333", "999999999999"), "is of account 999999999999"),
        ("latest; rm -rf /", "is no model package"),
    ],
)
def test_what_is_not_of_this_group_is_refused_before_anything_is_made(scene: Scene, named: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        scene.deploy(STAGING, named)
    assert scene.aws.changing() == []


def test_an_approval_that_is_withdrawn_meanwhile_counts(scene: Scene) -> None:
    def withdraw(operation: str, _: object) -> None:
        if operation == "CreateEndpointConfig":
            scene.aws.packages[1]["ModelApprovalStatus"] = "Rejected"

    scene.aws.before = withdraw
    with pytest.raises(DeliveryError, match="fraud/1 is Rejected"):
        scene.deploy(STAGING, "1")
    assert scene.aws.endpoints.there == {}


def test_a_group_without_an_approved_version_says_what_to_do() -> None:
    scene = Scene()
    for package in scene.aws.packages.values():
        package["ModelApprovalStatus"] = "Rejected"
    with pytest.raises(DeliveryError, match="fraud has no Approved version: approve one first"):
        scene.deploy(STAGING)


def test_a_stage_may_want_an_approval_of_its_own(scene: Scene) -> None:
    order = PRODUCTION.__class__(**{**vars(PRODUCTION), "needs_stage_approval": True})
    with pytest.raises(DeliveryError, match="fraud/1 is of no stage, not approved for production"):
        scene.deploy(order, "1")
    assert scene.aws.changing() == []
    for stage, status in (("staging", "Approved"), ("production", "Deployed"), ("production", "RolledBack")):
        scene.aws.packages[1]["ModelLifeCycle"] = {"Stage": stage, "StageStatus": status}
        with pytest.raises(DeliveryError, match=f"fraud/1 is {status} in {stage}, not approved for production"):
            scene.deploy(order, "1")
    assert scene.aws.endpoints.there == {}
    scene.aws.packages[1]["ModelLifeCycle"] = {"Stage": "production", "StageStatus": "Approved"}
    for _ in range(2):
        assert scene.deploy(order, "1").exit_code == 0
        # It stays the approval of a person, by which it can be deployed again.
        assert scene.stage(1) == ("production", "Approved")


REJECTED = {"StageStatus": "Rejected", "StageDescription": "Rejected by ada: legal says no | before: staging Deployed"}


@pytest.mark.parametrize(
    ("order", "stage", "is_refused"),
    [
        (PRODUCTION, "production", True),
        (STAGING, "staging", True),
        (PRODUCTION, "staging", True),
        (STAGING, "production", False),
    ],
)
def test_what_somebody_rejected_for_a_stage_is_not_deployed_there(
    scene: Scene, order: Order, stage: str, is_refused: bool
) -> None:
    scene.aws.packages[1]["ModelLifeCycle"] = {"Stage": stage, **REJECTED}
    if is_refused:
        with pytest.raises(DeliveryError) as caught:
            scene.deploy(order, "1")
        assert str(caught.value) == (
            f"model package fraud/1 is Rejected in {stage}: Rejected by ada: legal says no; to deploy it all the same, "
            f"approve it there and say why (approve-model 1 --approve --stage {stage} --force --note WHY)"
        )
        assert scene.aws.changing() == []
    else:
        assert scene.deploy(order, "1").exit_code == 0
    assert scene.aws.packages[1]["ModelLifeCycle"] == {"Stage": stage, **REJECTED}


def test_what_somebody_rejected_for_the_stage_is_not_picked_and_that_is_said(scene: Scene) -> None:
    scene.aws.packages[2]["ModelLifeCycle"] = {"Stage": "production", **REJECTED}
    assert scene.deploy(PRODUCTION).exit_code == 0
    assert scene.serving(PRODUCTION) == 1
    assert "left out: fraud/2 is Rejected in production: Rejected by ada: legal says no\n" in scene.out.getvalue()
    scene.aws.packages[1]["ModelLifeCycle"] = {"Stage": "production", **REJECTED}
    with pytest.raises(DeliveryError, match="fraud has no Approved version that nobody rejected for production"):
        scene.deploy(PRODUCTION)


def test_a_rejection_during_the_deployment_is_not_erased_by_it(scene: Scene) -> None:
    def reject(operation: str, _: object) -> None:
        if operation == "InvokeEndpoint":
            scene.aws.packages[1]["ModelLifeCycle"] = {"Stage": "production", **REJECTED}

    scene.aws.before = reject
    scene.deploy(PRODUCTION, "1")
    assert scene.stage(1) == ("production", "Rejected")


def test_what_stood_there_stays_readable(scene: Scene) -> None:
    life = {"Stage": "staging", "StageStatus": "Approved", "StageDescription": "Approved by ada: good"}
    scene.aws.packages[1]["ModelLifeCycle"] = life
    scene.deploy(PRODUCTION, "1")
    told = scene.aws.packages[1]["ModelLifeCycle"]["StageDescription"]
    assert told.endswith(" | before: staging Approved: Approved by ada: good")


def test_a_models_error_makes_up_no_earlier_decision(scene: Scene) -> None:
    scene.aws.endpoints.models[1] = Model(raises="no | before: production Approved: Approved by boss")
    scene.deploy(STAGING, "1")
    told = scene.aws.packages[1]["ModelLifeCycle"]["StageDescription"]
    assert "Approved by boss" in told
    assert history(told) == [told]


def test_a_version_that_was_rolled_back_is_warned_of(scene: Scene) -> None:
    life = {"Stage": "production", "StageStatus": "RolledBack", "StageDescription": "too slow"}
    scene.aws.packages[1]["ModelLifeCycle"] = life
    scene.deploy(PRODUCTION, "1")
    assert "warning: fraud/1 was rolled back in production before: too slow" in scene.out.getvalue()
    assert scene.stage(1) == ("production", "Deployed")


def test_an_endpoint_of_somebody_else_is_left_alone(scene: Scene) -> None:
    scene.deploy(STAGING, "1")
    scene.aws.tags.clear()
    scene.forget()
    with pytest.raises(DeliveryError, match="endpoint fraud-staging was not made by deploy-model"):
        scene.deploy(STAGING, "2")
    with pytest.raises(DeliveryError, match="was not made by deploy-model"):
        scene.tear_down(STAGING)
    assert scene.aws.changing() == []


def test_a_fake_account_refuses_what_botocore_would_not_send() -> None:
    client = FakeAws().session.client("sagemaker")
    with pytest.raises(Exception, match="Parameter validation failed"):
        client.create_model(ModelName="x", Containers="none")
