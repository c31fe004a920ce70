"""A build of a stage's project deploys the event's model, production once the registry says so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.account import REGION
from tests.workflows.codebuild import Build, run_build
from tests.workflows.deployments import Deployments
from tests.workflows.eventbridge import state_change, transformed
from tests.workflows.files import DEPLOY_BUILDSPEC
from tests.workflows.policies import ENDPOINT_ROLE, GROUP, PRODUCTION, STAGING, documents

ROLES = {"staging": STAGING, "production": PRODUCTION}
PAGE = "docs/codebuild.md"
BuildStage = Callable[..., Build]


@pytest.fixture
def build(deployments: Deployments, tmp_path: Path) -> BuildStage:
    """A project for each stage, started with what EventBridge overrides."""
    made = iter(range(10))

    def start(stage: str, overridden: list[dict[str, str]]) -> Build:
        variables = {
            "AWS_ENDPOINT_URL": deployments.gate.url,
            "AWS_ACCESS_KEY_ID": "ASIATEST",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": ROLES.get(stage, STAGING),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "STAGE": stage,
            "SAGEMAKER_PROJECT_NAME_ID": GROUP,
            "SAGEMAKER_ENDPOINT_ROLE_ARN": ENDPOINT_ROLE,
            **({"BAKE_SECONDS": "1"} if stage == "production" else {}),
            **{variable["name"]: variable["value"] for variable in overridden},
        }
        return run_build(DEPLOY_BUILDSPEC, deployments.github.source, tmp_path / f"build-{next(made)}", variables)

    return start


def override(deployments: Deployments, package: str) -> Any:
    """Return what the documented target overrides for a package's event."""
    (target,) = documents("From the approval to the builds", page=PAGE)[0]
    event = state_change(deployments.describe(package), "ModelApprovalStatus")
    request = transformed(target, event)
    assert set(request) == {"environmentVariablesOverride"}
    return request["environmentVariablesOverride"]


def named(package: str) -> list[dict[str, str]]:
    return [{"name": "MODEL_PACKAGE_ARN", "value": package}]


def test_an_approved_model_is_built_into_staging_once(deployments: Deployments, build: BuildStage) -> None:
    package = deployments.register()
    first = build("staging", override(deployments, package))
    assert first.succeeded, first.log
    assert first.artifacts == ("deployment.json",)
    assert deployments.serving("staging") == package
    deployments.gate.reset()
    again = build("staging", override(deployments, package))
    assert again.succeeded, again.log
    assert deployments.made == {}
    assert deployments.gate.refused == []


def test_production_takes_what_the_registry_approved_for_it_only(deployments: Deployments, build: BuildStage) -> None:
    package = deployments.register()
    refused = build("production", override(deployments, package))
    assert refused.codes == {"install": 0, "build": 1}
    assert "approve-model" in refused.log
    assert deployments.made == {}
    deployments.decide(package, "approve", stage="production")
    deployments.gate.reset()
    deployed = build("production", override(deployments, package))
    assert deployed.succeeded, deployed.log
    assert deployments.serving("production") == package
    assert deployments.gate.refused == []


@pytest.mark.parametrize(
    ("stage", "package"),
    [
        ("staging", ""),
        ("staging", "arn:aws:sagemaker:us-east-1:000000000000:model-package/other/1"),
        ("staging", '1"; touch pwned; $(touch pwned) `touch pwned`'),
        ("staging", "--local"),
        ("", "1"),
        ("moon", "1"),
    ],
)
def test_what_is_no_package_of_the_group_or_no_stage_fails_the_build_before_anything_is_made(
    deployments: Deployments, build: BuildStage, stage: str, package: str
) -> None:
    done = build(stage, named(package))
    assert done.codes["build"] in {1, 2}
    assert deployments.made == {}
    assert list(done.workspace.rglob("pwned")) == []


def test_a_model_that_fails_its_test_fails_the_build_and_keeps_the_outcome(
    deployments: Deployments, build: BuildStage
) -> None:
    good = deployments.register()
    assert build("staging", named(good)).succeeded
    done = build("staging", named(deployments.register(RocAuc="0.99")))
    assert done.codes["build"] == 1
    assert "ROC AUC" in done.log
    assert done.artifacts == ("deployment.json",)
    assert deployments.serving("staging") == good
