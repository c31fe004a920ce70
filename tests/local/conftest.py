"""A SageMaker of this machine in a fresh folder, and what tests do with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipelines.local.boto_session import LocalSession
from pipelines.local.session import session as local_session
from tests.local.documents import BUCKET, ROLE

Client = Any
TERMINAL = {"Succeeded", "Failed", "Stopped", "CompletedWithFailures"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def session(root: Path) -> Iterator[LocalSession]:
    made = local_session(root)
    yield made
    made.close()


@pytest.fixture
def sagemaker(session: boto3.Session) -> Client:
    return session.client("sagemaker")


@pytest.fixture
def s3(session: boto3.Session) -> Client:
    client = session.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


class Pipeline:
    """A pipeline that is created, and its executions."""

    def __init__(self, sagemaker: Client, name: str, text: str, **more: Any) -> None:
        self._sagemaker = sagemaker
        self.name = name
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=ROLE, **more)

    def update(self, text: str) -> None:
        self._sagemaker.update_pipeline(PipelineName=self.name, PipelineDefinition=text)

    def start(self, parameters: dict[str, str] | None = None, **more: Any) -> str:
        given = [{"Name": name, "Value": value} for name, value in (parameters or {}).items()]
        response = self._sagemaker.start_pipeline_execution(PipelineName=self.name, PipelineParameters=given, **more)
        return str(response["PipelineExecutionArn"])

    def run(self, parameters: dict[str, str] | None = None, **more: Any) -> "Execution":
        return self.wait(self.start(parameters, **more))

    def wait(self, arn: str) -> "Execution":
        return Execution(self._sagemaker, arn).wait_for(lambda status, _: status in TERMINAL)


class Execution:
    """An execution, as it is shown."""

    def __init__(self, sagemaker: Client, arn: str) -> None:
        self._sagemaker = sagemaker
        self.arn = arn
        self.refresh()

    def refresh(self) -> None:
        self.description = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=self.arn)
        pages = self._sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=self.arn)
        self.listed = [step for page in pages for step in page["PipelineExecutionSteps"]]
        self.steps = {step["StepName"]: step for step in self.listed}
        self.status: str = self.description["PipelineExecutionStatus"]

    def wait_for(self, condition: Callable[[str, dict[str, Any]], bool]) -> "Execution":
        """Look until a condition on the status and the steps holds; the test's timeout ends a vain wait."""
        while not condition(self.status, self.steps):
            self.refresh()
        return self

    @property
    def statuses(self) -> dict[str, str]:
        return {name: step["StepStatus"] for name, step in self.steps.items()}

    @property
    def cached(self) -> set[str]:
        return {name for name, step in self.steps.items() if "CacheHitResult" in step}


@pytest.fixture
def create(sagemaker: Client, s3: Client) -> Callable[..., Pipeline]:
    """Return a function that creates a pipeline of a definition's text."""

    def make(text: str, name: str = "pipeline", **more: Any) -> Pipeline:
        return Pipeline(sagemaker, name, text, **more)

    return make
