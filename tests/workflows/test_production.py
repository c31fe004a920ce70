"""Nothing reaches production that nobody let through: reviewers on GitHub, or an approval in the registry."""

import pytest

from tests.workflows.deployments import Deployments
from tests.workflows.eventbridge import matches, state_change, transformed
from tests.workflows.github import Environment, Event
from tests.workflows.policies import PRODUCTION, documents

PENDING = "PendingManualApproval"
CHECK = "Check that production has reviewers"
STAGING_JOB, PRODUCTION_JOB = "staging/deploy", "production/deploy"


@pytest.mark.parametrize("environment", [None, Environment()])
def test_an_unprotected_production_stops_the_run_before_anything_is_deployed(
    deployments: Deployments, environment: Environment | None
) -> None:
    package = deployments.register()
    environments = deployments.github.environments
    del environments["production"]
    if environment:
        environments["production"] = environment
    run = deployments.deploy(package)
    assert run.result == "failure"
    assert "::error title=Production is not protected::" in run["protection"].log
    assert {run[job].result for job in ("staging", "production")} == {"skipped"}
    assert deployments.gate.asked == []
    # The check itself must not be what makes it.
    assert ("production" in environments) == (environment is not None)


@pytest.mark.parametrize("change", ["stage", "role"])
def test_who_deploys_to_staging_only_needs_no_production(deployments: Deployments, change: str) -> None:
    package = deployments.register()
    del deployments.github.environments["production"]
    if change == "role":
        deployments.github.variables = {**deployments.github.variables, "AWS_PRODUCTION_ROLE_ARN": ""}
    run = deployments.deploy(package, **({"stage": "staging"} if change == "stage" else {}))
    assert run.result == "success", run[STAGING_JOB].log
    assert run["protection"].step(CHECK).result == "skipped"
    assert run["production"].result == "skipped"
    assert deployments.serving("staging") == package


def test_reviewers_can_turn_down_what_is_in_staging(deployments: Deployments) -> None:
    package = deployments.register()
    deployments.github.environments["production"] = Environment(reviewers=("owner",), is_approved=False)
    run = deployments.deploy(package)
    assert run.result == "failure"
    assert run[STAGING_JOB].result == "success"
    assert run[PRODUCTION_JOB].steps == []
    assert deployments.serving("staging") == package
    assert deployments.gate.actions(PRODUCTION) == []


def test_the_registry_lets_through_what_was_approved_for_production(deployments: Deployments) -> None:
    set_up_registry(deployments)
    package = deployments.register(approval=PENDING)
    deployments.decide(package, "approve")
    staged = deployments.run("deploy.yml", start_of(deployments, package, "ModelApprovalStatus"))
    assert staged.result == "success", staged[STAGING_JOB].log
    assert staged["production"].result == "skipped"
    deployments.decide(package, "approve", stage="production")
    run = deployments.run("deploy.yml", start_of(deployments, package, "ModelLifeCycle"))
    assert run.result == "success", run[PRODUCTION_JOB].log
    assert deployments.serving("production") == package
    cycle = deployments.describe(package)["ModelLifeCycle"]
    # It stays what a person said of it.
    assert (cycle["Stage"], cycle["StageStatus"]) == ("production", "Approved")
    assert deployments.gate.refused == []


def test_the_registry_keeps_back_what_nobody_approved_for_production(deployments: Deployments) -> None:
    set_up_registry(deployments)
    package = deployments.register()
    run = deployments.deploy(package)
    assert run.result == "failure"
    assert run[STAGING_JOB].result == "success"
    assert "--stage production" in run[PRODUCTION_JOB].log
    assert deployments.serving("staging") == package
    changed = {action for action in deployments.gate.actions(PRODUCTION) if "Describe" not in action}
    assert changed <= {"sagemaker:ListModelPackages", "sagemaker:ListTags"}


def test_what_production_itself_writes_starts_no_other_run(deployments: Deployments) -> None:
    (pattern,) = documents("Production without reviewers")
    package = deployments.register()
    deployments.decide(package, "approve", stage="production")
    approved = deployments.describe(package)
    assert matches(pattern, state_change(approved, "ModelLifeCycle"))
    for cycle in (
        {"Stage": "production", "StageStatus": "Deployed"},
        {"Stage": "production", "StageStatus": "Rejected"},
        {"Stage": "staging", "StageStatus": "Approved"},
    ):
        assert not matches(pattern, state_change({**approved, "ModelLifeCycle": cycle}, "ModelLifeCycle"))
    assert not matches(pattern, state_change(approved, "ApprovalDescription"))


def set_up_registry(deployments: Deployments) -> None:
    """Set the repository up as one without required reviewers."""
    deployments.github.variables = {**deployments.github.variables, "PRODUCTION_APPROVAL": "registry"}
    deployments.github.environments["production"] = Environment()


def start_of(deployments: Deployments, package: str, changed: str) -> Event:
    """Return the workflow's start that the documented rules make of a change; the first goes up to staging."""
    approved, (target,) = documents("From the approval to the workflow")
    (approved_for_production,) = documents("Production without reviewers")
    event = state_change(deployments.describe(package), changed)
    by_approval, by_stage = matches(approved, event), matches(approved_for_production, event)
    assert (by_approval, by_stage) == (changed == "ModelApprovalStatus", changed == "ModelLifeCycle")
    inputs = transformed(target, event)["inputs"]
    return Event("workflow_dispatch", inputs={**inputs, **({"stage": "staging"} if by_approval else {})})
