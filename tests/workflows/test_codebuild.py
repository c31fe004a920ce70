"""A build by the SageMaker Projects convention is judged, and keeps its report."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.workflows.account import BUCKET, REGION, Account
from tests.workflows.codebuild import run_build
from tests.workflows.conftest import Commit
from tests.workflows.files import BUILDSPEC
from tests.workflows.policies import PIPELINE_ROLE

PROJECT = "fraud-p-abc123"


@pytest.fixture
def variables(account: Account) -> dict[str, str]:
    """What the project's build environment and CodeBuild itself set."""
    return {
        **account.environment,
        "AWS_ACCESS_KEY_ID": "ASIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "ARTIFACT_BUCKET": BUCKET,
        "SAGEMAKER_PIPELINE_ROLE_ARN": PIPELINE_ROLE,
        "SAGEMAKER_PROJECT_NAME": "fraud",
        "SAGEMAKER_PROJECT_ID": "p-abc123",
        "SAGEMAKER_PROJECT_NAME_ID": PROJECT,
        "SAGEMAKER_PROJECT_ARN": f"arn:aws:sagemaker:{REGION}:000000000000:project/fraud",
        "CODEBUILD_RESOLVED_SOURCE_VERSION": "1" * 40,
        "CODEBUILD_BUILD_ID": "fraud:1",
    }


def test_a_good_commit_is_registered_for_its_project_once(
    tmp_path: Path, variables: dict[str, str], commit: Commit, account: Account
) -> None:
    # One that the model reaches untuned, to be done sooner: the project's pipeline has nothing cached.
    source = commit(threshold=0.7)
    build = run_build(BUILDSPEC, source, tmp_path / "first", variables)
    assert build.succeeded, build.log
    described = account.client.describe_pipeline(PipelineName=PROJECT)
    tags = account.client.list_tags(ResourceArn=described["PipelineArn"])["Tags"]
    assert {"Key": "sagemaker:project-name", "Value": "fraud"} in tags
    assert {"Key": "sagemaker:project-id", "Value": "p-abc123"} in tags
    (package,) = (arn for arn in account.packages() if f"model-package/{PROJECT}/" in arn)
    image = account.client.describe_model_package(ModelPackageName=package)["InferenceSpecification"]["Containers"][0]
    assert image["ModelDataUrl"].startswith(f"s3://{BUCKET}/{PROJECT}/")
    assert set(build.artifacts) == {"outcome.json", "report/report.html", "report/report.md", "report/report.xml"}
    again = run_build(BUILDSPEC, source, tmp_path / "again", variables)
    assert again.succeeded, again.log
    assert len(account.executions(PROJECT)) == 1


def test_a_rejected_model_fails_the_build_and_is_a_failed_test(
    tmp_path: Path, variables: dict[str, str], commit: Commit, account: Account
) -> None:
    packages = account.packages()
    build = run_build(
        BUILDSPEC, commit(threshold=0.99), tmp_path, {**variables, "CODEBUILD_RESOLVED_SOURCE_VERSION": "2" * 40}
    )
    assert build.codes == {"install": 0, "build": 3}
    (report,) = build.reports["gate"]
    suite = ET.parse(report).getroot()
    (gate,) = (case for case in suite if case.get("name") == "gate")
    failure = gate.find("failure")
    assert failure is not None
    assert "0.99" in str(failure.get("message"))
    assert "report/report.html" in build.artifacts
    assert account.packages() == packages


def test_a_build_without_its_project_starts_nothing(
    tree: Path, tmp_path: Path, variables: dict[str, str], account: Account
) -> None:
    build = run_build(BUILDSPEC, tree, tmp_path, {**variables, "SAGEMAKER_PIPELINE_ROLE_ARN": ""})
    assert build.codes == {"install": 0, "build": 2}
    assert "--role-arn" in build.log
    assert build.artifacts == ()
    assert account.proxy.calls["StartPipelineExecution"] == 0
