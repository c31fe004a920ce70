"""Whoever may, approves and rejects models from GitHub; the registry keeps who it was and why."""

import pytest

from tests.workflows.deployments import Deployments
from tests.workflows.github import Environment
from tests.workflows.policies import APPROVAL

DECIDE = "Decide"
PENDING = "PendingManualApproval"


def test_an_approval_is_written_down_with_who_and_why(deployments: Deployments) -> None:
    package = deployments.register(approval=PENDING)
    run = deployments.decide(package, "approve", note="better on new claims")
    assert run.result == "success", run["decision"].log
    described = deployments.describe(package)
    assert described["ModelApprovalStatus"] == "Approved"
    for said in ("octocat", "better on new claims", "https://github.com/acme/fraud/actions/runs/"):
        assert said in described["ApprovalDescription"]
    assert "sagemaker:UpdateModelPackage" in deployments.gate.actions(APPROVAL)
    assert deployments.gate.refused == []


def test_a_version_is_rejected_by_its_number(deployments: Deployments) -> None:
    package = deployments.register(approval=PENDING)
    run = deployments.decide(package.rpartition("/")[2], "reject", note="drifts in autumn")
    assert run.result == "success", run["decision"].log
    assert deployments.describe(package)["ModelApprovalStatus"] == "Rejected"


def test_a_stage_has_its_own_approval(deployments: Deployments) -> None:
    package = deployments.register()
    run = deployments.decide(package, "approve", stage="production")
    assert run.result == "success", run["decision"].log
    cycle = deployments.describe(package)["ModelLifeCycle"]
    assert (cycle["Stage"], cycle["StageStatus"]) == ("production", "Approved")
    assert "octocat" in cycle["StageDescription"]


@pytest.mark.parametrize(
    "inputs",
    [
        {"version": '1"; touch pwned; $(touch pwned) `touch pwned`'},
        {"version": "--all"},
        {"version": "9999"},
        {"note": "", "decision": "reject"},
    ],
)
def test_what_is_no_decision_about_a_version_changes_nothing(deployments: Deployments, inputs: dict[str, str]) -> None:
    package = deployments.register(approval=PENDING)
    named = {"version": package, "decision": "approve", **inputs}
    run = deployments.decide(named.pop("version"), named.pop("decision"), **named)
    assert run["decision"].step(DECIDE).code in {1, 2}
    assert deployments.made == {}
    assert list(deployments.work.rglob("pwned")) == []


def test_a_note_is_a_note_and_never_a_command_or_an_option(deployments: Deployments) -> None:
    package = deployments.register(approval=PENDING)
    note = '--force "; touch pwned; $(touch pwned)'
    run = deployments.decide(package, "approve", note=note)
    assert run.result == "success", run["decision"].log
    assert note in deployments.describe(package)["ApprovalDescription"]
    assert list(deployments.work.rglob("pwned")) == []


def test_the_form_takes_no_other_decision_and_no_other_stage(deployments: Deployments) -> None:
    for inputs in ({"decision": "perhaps"}, {"decision": "approve", "stage": "moon"}):
        with pytest.raises(ValueError, match="not in the list of allowed values"):
            deployments.decide("1", **inputs)
    with pytest.raises(ValueError, match="Required input 'version' not provided"):
        deployments.decide("", "approve")


def test_reviewers_of_the_environment_can_keep_a_decision_from_being_made(deployments: Deployments) -> None:
    package = deployments.register(approval=PENDING)
    deployments.github.environments["approval"] = Environment(reviewers=("owner",), is_approved=False)
    run = deployments.decide(package, "approve")
    assert run.result == "failure"
    assert run["decision"].steps == []
    assert deployments.gate.asked == []


def test_a_fresh_copy_of_the_repository_decides_nothing_and_says_what_to_set(deployments: Deployments) -> None:
    deployments.github.variables = {}
    run = deployments.decide("1", "approve")
    assert run.result == "success"
    assert run["decision"].result == "skipped"
    assert "AWS_APPROVAL_ROLE_ARN" in run["not-set-up"].log
    assert deployments.gate.asked == []
