"""A model held against the newest approved one of its group."""

import io
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.attention import Attention
from pipelines.delivery.definition import parse_definition
from pipelines.delivery.gate import Package, Rivals, Verdict, judge
from pipelines.delivery.outcome import make_outcome
from pipelines.delivery.pipeline import PipelineOrder
from pipelines.delivery.progress import Lines
from pipelines.delivery.run import Result, Site, complete, launch
from pipelines.delivery.summary import summarize
from pipelines.local.session import session
from tests.delivery.pipelines import TWO_BRANCHES
from tests.delivery.runs import finish, run_of, script
from tests.delivery.scripted import ACCOUNT, PACKAGE, ROLE, Script, ServiceRefusal, packaged
from tests.delivery.test_gate import CHOSE_FALSE, REGISTERED, auc, ended
from tests.local.documents import compare, condition, definition, json_get, metrics_file, parameter, register, shell

CHAMPION = f"{ACCOUNT}:model-package/fraud/2"


def verdict_of(
    challenger: float | None, champion: float | None, *, allowed: float | None = 0.01, approval: str | None = None
) -> Verdict:
    rivals = Rivals(Package(PACKAGE, approval=approval), Package(CHAMPION, value=champion), allowed)
    checks = [] if challenger is None else [auc(challenger)]
    return judge(ended("Succeeded", CHOSE_FALSE, REGISTERED), parse_definition(TWO_BRANCHES), checks, rivals)


@pytest.mark.parametrize(
    ("challenger", "champion", "allowed", "outcome", "difference"),
    [
        (0.86, 0.85, 0.0, "registered", 0.01),
        (0.85, 0.85, 0.0, "registered", 0.0),
        (0.84, 0.85, 0.01, "registered", -0.01),
        (0.8399, 0.85, 0.01, "rejected", -0.0101),
        (0.80, 0.85, 0.0, "rejected", -0.05),
        (0.80, 0.85, None, "registered", -0.05),
    ],
)
def test_only_what_is_worse_by_more_than_is_allowed_is_rejected(
    challenger: float, champion: float, allowed: float | None, outcome: str, difference: float
) -> None:
    verdict = verdict_of(challenger, champion, allowed=allowed)
    assert verdict.outcome == outcome
    assert verdict.difference == pytest.approx(difference)
    assert verdict.model_package_arn == PACKAGE


def test_the_rejection_says_both_numbers_and_the_allowance() -> None:
    verdict = verdict_of(0.80, 0.85)
    assert verdict.exit_code == 3
    assert verdict.reason == (
        "ROC AUC 0.8000 is below the champion's 0.8500 (model package fraud/2) by 0.0500, more than the allowed 0.01"
    )


@pytest.mark.parametrize(("challenger", "champion"), [(None, 0.85), (0.86, None)])
def test_a_comparison_that_is_asked_for_and_cannot_be_made_fails(
    challenger: float | None, champion: float | None
) -> None:
    verdict = verdict_of(challenger, champion)
    assert (verdict.outcome, verdict.exit_code, verdict.difference) == ("failed", 1, None)
    assert "cannot be compared with the champion, model package fraud/2" in verdict.reason
    assert verdict_of(challenger, champion, allowed=None).outcome == "registered"


def test_without_a_champion_the_first_model_is_registered() -> None:
    verdict = judge(
        ended("Succeeded", CHOSE_FALSE, REGISTERED),
        parse_definition(TWO_BRANCHES),
        [auc(0.8)],
        Rivals(max_regression=0),
    )
    assert (verdict.outcome, verdict.champion, verdict.difference) == ("registered", None, None)


def test_what_a_person_approved_since_stays_approved() -> None:
    assert verdict_of(0.80, 0.85, approval="Approved").outcome == "registered"
    assert verdict_of(0.80, 0.85, approval="Rejected").outcome == "rejected"


# Against the service


def listed(*arns: str) -> dict[str, Any]:
    return {"ModelPackageSummaryList": [summary(arn) for arn in arns]}


def summary(arn: str) -> dict[str, Any]:
    return {"ModelPackageArn": arn, "CreationTime": 1, "ModelPackageStatus": "Completed"}


def in_group(uri: str, **more: Any) -> dict[str, Any]:
    return {**packaged(uri), "ModelPackageGroupName": "fraud", "ModelApprovalStatus": "PendingManualApproval", **more}


def rivalry(champion: dict[str, Any]) -> Script:
    """A service whose execution registered a model of 0.8643, in a group with an approved one."""
    return script(
        DescribeModelPackage=[in_group("s3://bucket/tuned/evaluation.json"), champion],
        ListModelPackages=listed(PACKAGE, CHAMPION),
        UpdateModelPackage={"ModelPackageArn": PACKAGE},
    )


def told(value: str) -> dict[str, Any]:
    """A champion whose report is gone and whose metadata tell its number."""
    return in_group("s3://bucket/gone.json", ModelPackageArn=CHAMPION, CustomerMetadataProperties={"RocAuc": value})


def test_the_champion_is_the_newest_approved_package_but_the_runs_own() -> None:
    service = rivalry(told("0.8543"))
    result = finish(service)
    assert result.verdict.champion
    assert (result.verdict.champion.arn, result.verdict.champion.value) == (CHAMPION, 0.8543)
    assert result.verdict.difference == pytest.approx(0.01)
    (request,) = service.sent("ListModelPackages")
    assert (request["ModelPackageGroupName"], request["ModelApprovalStatus"]) == ("fraud", "Approved")
    assert (request["SortBy"], request["SortOrder"]) == ("CreationTime", "Descending")
    assert make_outcome(result)["verdict"]["champion"] == {"model_package_arn": CHAMPION, "roc_auc": 0.8543}
    assert "  champion       0.8543, this one +0.0100 (model package fraud/2)" in list(
        summarize(result, no_command, str)
    )


def test_a_package_that_was_rolled_back_is_no_champion() -> None:
    older = CHAMPION.replace("fraud/2", "fraud/1")
    rolled_back = {**told("0.99"), "ModelLifeCycle": {"Stage": "production", "StageStatus": "RolledBack"}}
    service = script(
        DescribeModelPackage=[in_group("s3://bucket/tuned/evaluation.json"), rolled_back, told("0.8543")],
        ListModelPackages=listed(PACKAGE, CHAMPION, older),
    )
    champion = finish(service).verdict.champion
    assert champion
    assert (champion.arn, champion.value) == (older, 0.8543)


def test_a_champion_without_metadata_is_read_from_its_report() -> None:
    champion = in_group("s3://bucket/untuned/evaluation.json", ModelPackageArn=CHAMPION)
    assert finish(rivalry(champion)).verdict.difference == pytest.approx(0.8643 - 0.8071)


def test_a_regression_sets_the_package_to_rejected_with_the_reason() -> None:
    service = rivalry(told("0.95"))
    verdict = finish(service, max_regression=0.01).verdict
    assert verdict.exit_code == 3
    (request,) = service.sent("UpdateModelPackage")
    assert request["ModelPackageArn"] == PACKAGE
    assert (request["ModelApprovalStatus"], request["ApprovalDescription"]) == ("Rejected", verdict.reason)


def test_who_follows_a_rejected_run_again_rejects_nothing_twice() -> None:
    service = rivalry(told("0.95"))
    service._answers["DescribeModelPackage"][0]["ModelApprovalStatus"] = "Rejected"
    assert finish(service, max_regression=0.01).verdict.exit_code == 3
    assert service.sent("UpdateModelPackage") == []


@pytest.mark.parametrize("code", ["ResourceNotFound", "ValidationException"])
def test_a_group_that_is_not_there_has_no_champion(code: str) -> None:
    service = rivalry(told("0.95"))
    service._answers["ListModelPackages"] = [ServiceRefusal(code, "no such group")]
    assert finish(service, max_regression=0.01).verdict.outcome == "registered"


def test_a_role_that_may_not_list_packages_fails_only_where_it_must() -> None:
    service = rivalry(told("0.95"))
    service._answers["ListModelPackages"] = [ServiceRefusal("AccessDeniedException", "not yours")]
    assert finish(service).verdict.champion is None
    with pytest.raises(ClientError, match="not yours"):
        finish(service, max_regression=0.01)


# On this machine

MEASURED = shell(
    "Evaluate",
    "printf '{\"auc\": %s}' $0 > /opt/ml/processing/metrics/metrics.json",
    outputs=["metrics"],
    **metrics_file("Evaluate"),
)
MEASURED["Arguments"]["AppSpecification"]["ContainerArguments"] = [
    {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Auc"}]}}
]


def measured(group: str = "fraud") -> str:
    """A pipeline whose model has the ROC AUC that it is told."""
    told_auc = {"Std:Join": {"On": "", "Values": [json_get("Evaluate", "auc")]}}
    step = register("Register", group, "s3://bucket/model.tar.gz")
    step["Arguments"]["CustomerMetadataProperties"] = {"RocAuc": told_auc}
    gate = condition("AucGate", compare("LessThanOrEqualTo", json_get("Evaluate", "auc"), 0.5), otherwise=[step])
    return definition(MEASURED, gate, parameters=[parameter("Auc", "Float")])


def run(site: Site, auc: str, *, allowed: float | None = None) -> Result:
    made = run_of(measured(), Auc=auc)
    arn = launch(site, PipelineOrder("fraud", made.definition.text, ROLE), made).arn
    return complete(site, arn, made, Lines(io.StringIO()), Attention(), max_regression=allowed)


def test_the_whole_of_it_against_the_registry_of_this_machine(tmp_path: Path) -> None:
    opened = session(tmp_path / "root")
    site = Site(opened, 0.01, stops_on_interrupt=True)
    first = run(site, "0.9", allowed=0.01).verdict
    assert (first.outcome, first.champion) == ("registered", None)
    site.client.update_model_package(ModelPackageArn=str(first.model_package_arn), ModelApprovalStatus="Approved")
    worse = run(site, "0.8", allowed=0.01).verdict
    package = site.client.describe_model_package(ModelPackageName=str(worse.model_package_arn))
    assert (worse.outcome, worse.champion and worse.champion.arn) == ("rejected", first.model_package_arn)
    assert (package["ModelApprovalStatus"], package["ApprovalDescription"]) == ("Rejected", worse.reason)
    better = run(site, "0.95", allowed=0.01).verdict
    assert (better.outcome, round(better.difference or 0, 6)) == ("registered", 0.05)
    below = run(site, "0.4", allowed=0.01).verdict
    assert (below.outcome, below.champion and below.champion.value) == ("rejected", 0.9)
    opened.close()


def no_command(parameter: str, value: str) -> None:
    """What to type next is not what is tested here."""
