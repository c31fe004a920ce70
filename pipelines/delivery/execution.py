"""An execution: started, followed to its end, stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pipelines.delivery.attention import Attention, Patience
from pipelines.delivery.definition import Definition
from pipelines.delivery.identity import Identity
from pipelines.delivery.jobs import Jobs
from pipelines.delivery.snapshot import Execution, read_execution, read_step

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def start(
    client: SageMakerClient, pipeline: str, parameters: Mapping[str, str], identity: Identity | None = None
) -> str:
    """Start an execution of a pipeline and return its ARN; the same identity again gives the same execution."""
    named: dict[str, Any] = {"PipelineExecutionDisplayName": identity.name} if identity else {}
    answer = client.start_pipeline_execution(
        PipelineName=pipeline,
        PipelineParameters=[{"Name": name, "Value": value} for name, value in parameters.items()],
        ClientRequestToken=identity.token if identity else str(uuid4()),
        **named,
    )
    return answer["PipelineExecutionArn"]


class Follower:
    """Watches one execution; interval is the longest time in seconds between two looks."""

    def __init__(self, client: SageMakerClient, definition: Definition, *, interval: float) -> None:
        self.jobs = Jobs(client)
        self._client = client
        self._definition = definition
        self._interval = interval

    def look(self, arn: str) -> Execution:
        """Return the execution as it is now."""
        # The status first: once it is a terminal one, the list that is read after it is the whole list.
        description = self._client.describe_pipeline_execution(PipelineExecutionArn=arn)
        plans = self._definition.steps
        steps = (
            read_step(entry, plans[entry["StepName"]].type if entry["StepName"] in plans else None)
            for entry in self._entries(arn)
        )
        return read_execution(description, tuple(self.jobs.complete(step) for step in steps))

    def follow(
        self, arn: str, show: Callable[[Execution], None], attention: Attention, patience: Patience
    ) -> Execution:
        """Show the execution until it has ended, or attention or patience have."""
        for pause in pauses(self._interval):
            execution = patience.call(lambda: self.look(arn), attention, arn)
            show(execution)
            if execution.has_ended:
                return execution
            attention.pause(pause, arn)
        raise AssertionError("the pauses never end")

    def stop(self, arn: str) -> None:
        """Ask the service to stop the execution, unless it has ended by now."""
        try:
            self._client.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=str(uuid4()))
        except self._client.exceptions.ClientError:
            if not self.look(arn).has_ended:
                raise

    def _entries(self, arn: str) -> Iterator[Mapping[str, Any]]:
        page: dict[str, Any] = {}
        while True:
            answer = self._client.list_pipeline_execution_steps(
                PipelineExecutionArn=arn, SortOrder="Ascending", MaxResults=100, **page
            )
            yield from answer["PipelineExecutionSteps"]
            if not answer.get("NextToken"):
                return
            page = {"NextToken": answer["NextToken"]}


def pauses(interval: float, first: float | None = None) -> Iterator[float]:
    """Yield pauses, short ones at first, so that what ends soon is seen to have ended."""
    pause = interval / 10 if first is None else min(first, interval)
    while True:
        yield pause
        pause = min(pause * 1.5, interval)
