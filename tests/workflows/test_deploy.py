"""An approval deploys that very model to staging and from there to production, once, or says why it does not."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.iam.evaluator import Request
from tests.workflows.deployments import Deployments
from tests.workflows.eventbridge import matches, state_change, transformed
from tests.workflows.github import Event
from tests.workflows.policies import GROUP, PRODUCTION, STAGING, documents
from tests.workflows.runner import Run

PENDING = "PendingManualApproval"
DEPLOY = "Deploy and test"
STAGES = ("staging", "production")
STAGING_JOB, PRODUCTION_JOB = "staging/deploy", "production/deploy"
PLACE = "arn:aws:sagemaker:us-east-1:000000000000:model-package"


@dataclass(frozen=True)
class Approval:
    """An approved package, the run that its event made, that run's folder, and what it asked IAM for."""

    package: str
    run: Run
    folder: Path
    asked: list[tuple[str, Request]]


@pytest.fixture(scope="session")
def first_approval(shared_deployments: Deployments) -> Approval:
    """The first approval of all: no stage has an endpoint yet."""
    shared_deployments.reset()
    package = shared_deployments.register(approval=PENDING)
    assert shared_deployments.decide(package, "approve", note="good").result == "success"
    start = Event("workflow_dispatch", inputs=request_of(shared_deployments, package)["inputs"])
    run = shared_deployments.run("deploy.yml", start)
    assert shared_deployments.gate.refused == []
    return Approval(package, run, shared_deployments.latest_work, list(shared_deployments.gate.asked))


def request_of(deployments: Deployments, package: str) -> Any:
    """Return what the documented rule sends to GitHub once a package is approved."""
    pattern, (target,) = documents("From the approval to the workflow")
    event = state_change(deployments.describe(package), "ModelApprovalStatus", "ApprovalDescription")
    assert matches(pattern, event)
    request = transformed(target, event)
    assert request["ref"] == "main"
    return request


def test_an_approved_model_reaches_production_by_way_of_staging(
    deployments: Deployments, first_approval: Approval
) -> None:
    run = first_approval.run
    assert run.result == "success", run[STAGING_JOB].log + run[PRODUCTION_JOB].log
    assert list(run) == ["not-set-up", "protection", STAGING_JOB, "staging", PRODUCTION_JOB, "production"]
    for job in (STAGING_JOB, PRODUCTION_JOB):
        assert "passed its test" in run[job].summary
    cycle = deployments.describe(first_approval.package)["ModelLifeCycle"]
    assert (cycle["Stage"], cycle["StageStatus"]) == ("production", "Deployed")


def test_what_became_of_each_stage_is_an_artifact(first_approval: Approval) -> None:
    for stage in STAGES:
        file = first_approval.folder / "artifacts" / f"deployment-{stage}" / "deployment.json"
        outcome = json.loads(file.read_text())
        assert (outcome["stage"], outcome["outcome"]) == (stage, "deployed")


def test_each_stage_is_deployed_by_its_own_role(first_approval: Approval) -> None:
    stages = {STAGING: "staging", PRODUCTION: "production"}
    touched = {(role, asked.resource) for role, asked in first_approval.asked if ":endpoint/" in asked.resource}
    assert {(role, resource.rpartition("/")[2]) for role, resource in touched} == {
        (role, f"{GROUP}-{stage}") for role, stage in stages.items()
    }


def test_the_same_event_twice_deploys_once(deployments: Deployments) -> None:
    package = deployments.register()
    start = Event("workflow_dispatch", inputs=request_of(deployments, package)["inputs"])
    assert deployments.run("deploy.yml", start).result == "success"
    assert deployments.made["sagemaker:CreateEndpointConfig"] == 2
    assert [deployments.serving(stage) for stage in STAGES] == [package, package]
    deployments.gate.reset()
    again = deployments.run("deploy.yml", start)
    assert again.result == "success", again[STAGING_JOB].log
    assert deployments.made == {}
    assert "already serves" in again[PRODUCTION_JOB].log


def test_what_a_deployment_writes_into_the_registry_starts_no_other(
    deployments: Deployments, first_approval: Approval
) -> None:
    pattern, _ = documents("From the approval to the workflow")
    described = deployments.describe(first_approval.package)
    assert described["ModelApprovalStatus"] == "Approved"
    assert not matches(pattern, state_change(described, "ModelLifeCycle"))
    assert not matches(pattern, state_change({**described, "ModelApprovalStatus": "Rejected"}, "ModelApprovalStatus"))
    assert not matches(pattern, state_change({**described, "ModelPackageGroupName": "other"}, "ModelApprovalStatus"))
    # One that was registered as approved was never approved by anybody.
    assert not matches(pattern, state_change(described))


@pytest.mark.parametrize(
    "text",
    [
        f"{PLACE}/other/1",
        f"{PLACE}/{GROUP}/9999",
        f"{PLACE.replace('us-east-1', 'eu-west-1')}/{GROUP}/1",
        f"{PLACE.replace('000000000000', '111122223333')}/{GROUP}/1",
        f"{PLACE}/{GROUP}/1; touch pwned",
        "latest",
        "--local",
        "--rollback",
        '1"; touch pwned; $(touch pwned) `touch pwned` --group other',
    ],
)
def test_what_is_no_package_of_the_group_stops_in_the_first_job_before_anything_is_made(
    deployments: Deployments, text: str
) -> None:
    check_refused(deployments, text)
    assert list(deployments.work.rglob("pwned")) == []


@pytest.mark.parametrize("approval", [PENDING, "Rejected"])
def test_what_is_not_approved_at_that_moment_is_not_deployed(deployments: Deployments, approval: str) -> None:
    package = deployments.register(approval=approval)
    log = check_refused(deployments, package)
    assert approval in log


def check_refused(deployments: Deployments, text: str) -> str:
    """Check that staging's job ends with an error in a line, and that nothing else happens; return its log."""
    run = deployments.deploy(text)
    assert run.result == "failure"
    assert run[STAGING_JOB].step(DEPLOY).code in {1, 2}
    assert run["production"].result == "skipped"
    assert deployments.made == {}
    assert deployments.gate.actions(PRODUCTION) == []
    assert "Traceback" not in run[STAGING_JOB].log
    return run[STAGING_JOB].log


def test_a_model_that_fails_in_staging_is_taken_back_and_does_not_reach_production(
    deployments: Deployments, first_approval: Approval
) -> None:
    before = [deployments.serving(stage) for stage in STAGES]
    # Its registered value is not what its model has.
    bad = deployments.register(RocAuc="0.99")
    run = deployments.deploy(bad)
    assert run.result == "failure"
    assert run[STAGING_JOB].step(DEPLOY).code == 1
    assert "ROC AUC" in run[STAGING_JOB].summary
    assert run["production"].result == "skipped"
    assert [deployments.serving(stage) for stage in STAGES] == before
    cycle = deployments.describe(bad)["ModelLifeCycle"]
    assert (cycle["Stage"], cycle["StageStatus"]) == ("staging", "RolledBack")
    assert deployments.gate.refused == []


def test_a_version_goes_as_far_as_it_is_told(deployments: Deployments, first_approval: Approval) -> None:
    before = deployments.serving("production")
    package = deployments.register()
    run = deployments.deploy(package.rpartition("/")[2], stage="staging")
    assert run.result == "success", run[STAGING_JOB].log
    assert run["production"].result == "skipped"
    assert deployments.serving("staging") == package
    assert deployments.serving("production") == before


def test_a_fresh_copy_of_the_repository_is_not_red_and_says_what_to_set(deployments: Deployments) -> None:
    deployments.github.variables = {}
    run = deployments.deploy("1")
    assert run.result == "success"
    assert "AWS_STAGING_ROLE_ARN" in run["not-set-up"].log
    assert {run[job].result for job in ("protection", "staging", "production")} == {"skipped"}
    assert deployments.gate.asked == []


@pytest.mark.parametrize("missing", ["AWS_REGION", "SAGEMAKER_ENDPOINT_ROLE_ARN"])
def test_a_variable_that_was_forgotten_is_named_before_anything_runs(deployments: Deployments, missing: str) -> None:
    kept = {name: value for name, value in deployments.github.variables.items() if name != missing}
    deployments.github.variables = kept
    run = deployments.deploy("1")
    assert run.result == "failure"
    assert f"set the variable {missing}" in run[STAGING_JOB].log
    assert run[STAGING_JOB].step(DEPLOY).result == "skipped"
    assert deployments.gate.asked == []
