"""A version that fails its test is taken back, and what serves then is compared and tested as well."""

import pytest

from pipelines.delivery.deployment.result import Result
from tests.delivery.deployment.fake_endpoints import Model
from tests.delivery.deployment.scenes import BROKEN, PRODUCTION, STAGING, Scene
from tests.delivery.deployment.service import Refusal

FAILURES = [
    (BROKEN, {}, "answers: the model answered text/csv with 500: division by zero"),
    (Model(score=lambda amount: 1 - amount), {}, "ROC AUC: 0."),
    (Model(), {"RocAuc": "0.99"}, "registered 0.9900: "),
    (Model(forgets=1), {}, "answers: text/csv answer has 39 predictions for 40 rows"),
    (Model(score=lambda amount: amount * 2), {}, "which is no probability from 0 to 1"),
    (Model(score=lambda amount: float("nan")), {}, "answer has nan, which is no probability"),
    (Model(rounds_json=True), {}, "formats: CSV and JSON differ in 20 rows, first in row 2: 0.025, 0.03"),
    (Model(milliseconds=1500), {}, "p95 1500.0 ms, p99 1500.0 ms of 40 single rows; allowed p95 1000 ms"),
]


@pytest.fixture
def scene() -> Scene:
    """Version 1 serves in both stages."""
    scene = Scene()
    scene.deploy(STAGING, "1")
    scene.deploy(PRODUCTION, "1")
    scene.forget()
    return scene


def check_rolled_back(scene: Scene, result: Result) -> None:
    assert (result.outcome, result.exit_code, scene.serving(result.order)) == ("rolled_back", 1, 1)
    assert "(fraud/1) serves again and passed its test" in result.reason
    assert result.fallback_test
    assert result.fallback_test.passed
    assert result.serving
    assert result.serving.package
    assert result.serving.package.version == 1


@pytest.mark.parametrize(("model", "properties", "why"), FAILURES, ids=lambda value: str(value)[:40])
def test_a_version_that_fails_its_test_is_taken_back(
    scene: Scene, model: Model, properties: dict[str, str], why: str
) -> None:
    scene.add(3, model, **properties)
    result = scene.deploy(STAGING, "3")
    check_rolled_back(scene, result)
    assert result.reason.startswith("fraud/3 did not pass: ")
    assert why in result.reason
    assert scene.stage(3) == ("staging", "RolledBack")


def test_the_way_back_from_production_goes_at_once_and_past_the_alarms(scene: Scene) -> None:
    scene.add(3, BROKEN)
    check_rolled_back(scene, scene.deploy(PRODUCTION, "3"))
    there, back = scene.aws.sent("UpdateEndpoint")
    assert "DeploymentConfig" in there
    assert "DeploymentConfig" not in back
    assert scene.stage(3) == ("production", "RolledBack")


def test_a_failed_test_leaves_the_way_back_as_it_was(scene: Scene) -> None:
    scene.deploy(STAGING, "2")
    scene.add(3, BROKEN)
    scene.deploy(STAGING, "3")
    assert scene.serving(STAGING) == 2
    assert scene.roll_back(STAGING).outcome == "returned"
    assert scene.serving(STAGING) == 1


def test_a_first_version_that_fails_leaves_no_endpoint() -> None:
    scene = Scene()
    scene.add(3, BROKEN)
    result = scene.deploy(STAGING, "3")
    assert (result.outcome, result.exit_code, scene.serving(STAGING)) == ("removed", 1, None)
    assert "nothing served before it, so the endpoint was deleted" in result.reason
    assert scene.stage(3) == ("staging", "RolledBack")


def test_a_first_version_that_does_not_start_leaves_no_endpoint() -> None:
    scene = Scene()
    scene.add(3, Model(starts=False))
    result = scene.deploy(STAGING, "3")
    assert (result.outcome, result.exit_code, scene.serving(STAGING)) == ("removed", 1, None)
    assert "did not pass the ping health check" in result.reason


def test_a_version_that_passed_before_still_serves_when_it_fails_now(scene: Scene) -> None:
    scene.aws.endpoints.models[1] = Model(milliseconds=2000)
    result = scene.deploy(PRODUCTION, "1")
    assert (result.outcome, result.exit_code, scene.serving(PRODUCTION)) == ("failed", 1, 1)
    assert "it passed before, so it still serves; --rollback takes it out" in result.reason
    assert scene.aws.changing() == []


def test_when_what_served_before_fails_as_well_it_is_said(scene: Scene) -> None:
    scene.add(3, BROKEN)
    scene.aws.endpoints.models[1] = Model(milliseconds=2000)
    result = scene.deploy(STAGING, "3")
    assert (result.outcome, result.exit_code, scene.serving(STAGING)) == ("failed", 1, 1)
    assert "(fraud/1) serves again, but fails its test too: latency: p50 2000.0 ms" in result.reason


def test_when_the_way_back_fails_it_is_said_what_serves(scene: Scene) -> None:
    scene.add(3, BROKEN)

    def spoil(operation: str, request: dict[str, object]) -> None:
        if operation == "UpdateEndpoint" and "-v1-" in str(request["EndpointConfigName"]):
            scene.aws.endpoints.models[1] = Model(starts=False)

    scene.aws.before = spoil
    result = scene.deploy(STAGING, "3")
    assert (result.outcome, result.exit_code, scene.serving(STAGING)) == ("failed", 1, 3)
    assert "the way back to fraud-staging-v1-" in result.reason
    assert "(fraud/3) serves, the endpoint is InService (The primary container" in result.reason


@pytest.mark.parametrize("operation", ["UpdateEndpoint", "DescribeEndpoint"])
def test_when_the_way_back_is_refused_it_is_said_what_serves(scene: Scene, operation: str) -> None:
    scene.add(3, BROKEN)
    refused: list[str] = []

    def refuse(called: str, _: object) -> None:
        is_back = scene.stage(3) == ("staging", "RolledBack")
        if called == operation and is_back and not refused:
            refused.append(called)
            raise Refusal("AccessDeniedException", "no")

    scene.aws.before = refuse
    result = scene.deploy(STAGING, "3")
    assert (result.outcome, result.exit_code, scene.serving(STAGING)) == ("failed", 1, 3)
    assert f"the way back failed as well: AccessDeniedException in {operation}: no" in result.reason
    assert "(fraud/3) serves, the endpoint is InService" in result.reason


def test_what_served_before_may_have_been_rejected_since(scene: Scene) -> None:
    scene.aws.packages[1]["ModelApprovalStatus"] = "Rejected"
    scene.add(3, BROKEN)
    check_rolled_back(scene, scene.deploy(STAGING, "3"))


def test_what_served_before_is_not_tested_where_its_rows_are_gone(scene: Scene) -> None:
    del scene.aws.packages[1]["CustomerMetadataProperties"]["LabelledRows"]
    scene.add(3, BROKEN)
    result = scene.deploy(STAGING, "3")
    assert (result.outcome, result.fallback_test) == ("rolled_back", None)
    assert "(fraud/1) serves again, untested" in result.reason
    assert "fraud/1 names no labelled rows" in scene.out.getvalue()


def test_an_auc_at_the_tolerance_passes(scene: Scene) -> None:
    registered = scene.aws.packages[1]["CustomerMetadataProperties"]["RocAuc"]
    scene.add(3, RocAuc=str(float(registered) + 0.02))
    assert scene.deploy(STAGING, "3").outcome == "deployed"
    scene.add(4, RocAuc=str(float(registered) + 0.0201))
    assert scene.deploy(STAGING, "4").outcome == "rolled_back"
