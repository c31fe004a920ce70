"""The pipeline, and the executions of it that run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from pipelines.adoption.teardown.site import Site
from pipelines.adoption.teardown.things import Key, Thing
from pipelines.delivery.deployment.found import found

PIPELINE, EXECUTION = "pipeline", "execution"
_ACTIVE = frozenset({"Executing", "Stopping"})


def find_pipelines(site: Site) -> Iterator[Thing]:
    """Yield the pipeline of the project's name; its history goes with it, and the way to what executions made."""
    name = site.names.pipeline
    if found(site.sagemaker.describe_pipeline, PipelineName=name):
        leads_to = frozenset({Key(EXECUTION, ""), Key("model", ""), Key("schedule", ""), Key("rule", "")})
        yield Thing(PIPELINE, name, delete=_deletion(site, name), leads_to=leads_to)


def find_executions(site: Site) -> Iterator[Thing]:
    """Yield the executions that run."""
    for entry in _executions(site):
        if entry["PipelineExecutionStatus"] in _ACTIVE:
            arn = entry["PipelineExecutionArn"]
            said = entry.get("PipelineExecutionDisplayName") or arn.rpartition("/")[2]
            yield Thing(EXECUTION, arn, f"{said} is {entry['PipelineExecutionStatus']}", delete=_stop(site, arn))


def execution_ids(site: Site) -> set[str]:
    """Return the ids of all executions of the pipeline."""
    return {entry["PipelineExecutionArn"].rpartition("/")[2] for entry in _executions(site)}


def _executions(site: Site) -> Iterator[Any]:
    name = site.names.pipeline
    if found(site.sagemaker.describe_pipeline, PipelineName=name):
        yield from site.pages(
            "sagemaker",
            "list_pipeline_executions",
            "PipelineExecutionSummaries",
            PipelineName=name,
            PaginationConfig={"PageSize": 100},
        )


def _deletion(site: Site, name: str) -> Callable[[], object]:
    return lambda: site.sagemaker.delete_pipeline(PipelineName=name, ClientRequestToken=str(uuid4()))


def _stop(site: Site, arn: str) -> Callable[[], object]:
    client, tools = site.sagemaker, site.tools

    def status() -> str:
        return str(client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"])

    def stop() -> None:
        if status() == "Executing":
            client.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=str(uuid4()))
        for pause in tools.pauses():
            if tools.patiently(status, arn) not in _ACTIVE:
                return
            tools.journal.status(f"waiting for the end of {arn}")
            tools.attention.pause(pause, arn)

    return stop
