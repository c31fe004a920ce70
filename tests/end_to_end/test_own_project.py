"""A fresh copy turned into a project of one's own: the whole loop has its name, and its settings decide."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.session import session
from tests.adoption.init.copies import FRESH, SETTINGS
from tests.end_to_end.conftest import LIMIT_SECONDS, Done
from tests.workflows.conftest import copy_tree
from tests.workflows.files import REPOSITORY

NAME = "claims-p-1a2b3c"
VPC = {"Subnets": ["subnet-0a1b", "subnet-0c2d"], "SecurityGroupIds": ["sg-0e3f"]}


class Project:
    """A copy of the repository, and its commands on a SageMaker of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = copy_tree(REPOSITORY, root)
        (self.root / SETTINGS).write_text(json.dumps(FRESH))

    def call(self, command: str, *arguments: str) -> Done:
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
        done = subprocess.run(
            [sys.executable, "-m", f"pipelines.{command}", *arguments],
            cwd=self.root,
            env={**plain, "PYTHONPATH": str(self.root), "TERM": "dumb"},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
        outcome = self.root / f"{command}.json"
        return Done(done.returncode, done.stdout, done.stderr, self._read(outcome))

    def run(self, command: str, *arguments: str) -> Done:
        done = self.call(command, *arguments, "--local", "--json", f"{command}.json")
        assert done.code == 0, done.error
        return done

    def instance_type(self, endpoint: str) -> str:
        """Return the instances that an endpoint has by its configuration."""
        with session(self.root / ".sagemaker-local") as opened:
            client = opened.client("sagemaker")
            config = client.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
            (variant,) = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        return str(variant["InstanceType"])

    def networks(self) -> dict[str, Any]:
        """Return the VpcConfig of all jobs and models there are, by a part of their names."""
        with session(self.root / ".sagemaker-local") as opened:
            client = opened.client("sagemaker")
            found: dict[str, Any] = {}
            for job in client.list_processing_jobs()["ProcessingJobSummaries"]:
                name = job["ProcessingJobName"]
                found[name] = client.describe_processing_job(ProcessingJobName=name)["NetworkConfig"]["VpcConfig"]
            for training in client.list_training_jobs()["TrainingJobSummaries"]:
                name = training["TrainingJobName"]
                found[name] = client.describe_training_job(TrainingJobName=name)["VpcConfig"]
            for model in client.list_models()["Models"]:
                found[model["ModelName"]] = client.describe_model(ModelName=model["ModelName"])["VpcConfig"]
        return found

    def _read(self, outcome: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(outcome.read_text()) if outcome.exists() else {}
        return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose threshold lets the untuned model pass; its endpoint does not outlive it."""
    project = Project(tmp_path_factory.mktemp("own project") / "copy")
    flags = ("--name", NAME, "--threshold", "0.75", "--hosting-instance-type", "ml.c5.large", "--region", "eu-west-1")
    vpc = ("--subnets", ",".join(VPC["Subnets"]), "--security-groups", ",".join(VPC["SecurityGroupIds"]))
    done = project.call("init_project", *flags, *vpc)
    assert (done.code, done.error) == (0, "")
    try:
        yield project
    finally:
        project.call("deploy_model", "--stage", "staging", "--local", "--teardown")


@pytest.fixture(scope="module")
def first_run(project: Project) -> Done:
    return project.run("run_pipeline")


def test_the_run_has_the_projects_name_and_threshold(first_run: Done) -> None:
    outcome = first_run.outcome
    assert (outcome["pipeline"], outcome["outcome"]) == (NAME, "registered")
    assert outcome["model_package_arn"].endswith(f":model-package/{NAME}/1")
    assert outcome["verdict"]["threshold"] == 0.75


def test_what_was_registered_is_approved_and_deployed_by_the_same_name(project: Project, first_run: Done) -> None:
    assert first_run.outcome["model_package_arn"]
    assert project.run("approve_model").output.startswith(f"{NAME}: 1 version waits for approval")
    approved = project.run("approve_model", "1", "--approve", "--note", "good on the test set")
    assert approved.output.startswith(f"{NAME}/1 is Approved")
    deployed = project.run("deploy_model", "--stage", "staging")
    assert f"DEPLOYED: {NAME}/1 serves at endpoint {NAME}-staging and passed its test" in deployed.output
    assert project.instance_type(f"{NAME}-staging") == "ml.c5.large"


def test_its_jobs_and_models_are_in_its_vpc(project: Project, first_run: Done) -> None:
    assert first_run.code == 0
    found = project.networks()
    parts = {name.split("-")[2] if name.startswith("pipelines-") else name.rpartition("-")[0] for name in found}
    assert parts >= {"Preprocess", "Train", "Evaluate", "CreateModel"}
    assert all(network == VPC for network in found.values())


def test_a_batch_of_its_model_runs_in_the_vpc_of_the_model(project: Project, first_run: Done) -> None:
    (model,) = (name for name in project.networks() if "-CreateModel-" in name)
    with session(project.root / ".sagemaker-local") as opened:
        client, s3 = opened.client("sagemaker"), opened.client("s3")
        package = client.describe_model_package(ModelPackageName=first_run.outcome["model_package_arn"])
        bucket, _, key = package["CustomerMetadataProperties"]["LabelledRows"].removeprefix("s3://").partition("/")
        row = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()[1].partition(",")[2]
        s3.put_object(Bucket=bucket, Key="batch/rows.csv", Body=row.encode())
        source: Any = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/batch/"}
        client.create_transform_job(
            TransformJobName="batch",
            ModelName=model,
            TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/csv"},
            TransformOutput={"S3OutputPath": f"s3://{bucket}/predicted", "Accept": "text/csv"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
        client.get_waiter("transform_job_completed_or_stopped").wait(
            TransformJobName="batch", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        predicted = s3.get_object(Bucket=bucket, Key="predicted/rows.csv.out")["Body"].read()
    assert 0 <= float(predicted) <= 1
