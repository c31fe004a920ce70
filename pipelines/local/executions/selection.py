"""Selective execution: which steps run, and whose earlier results stand in for the others."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.local.database import Document
from pipelines.local.definition import Definition, Graph
from pipelines.local.engine import SUCCEEDED, StepEnd
from pipelines.local.errors import ValidationError
from pipelines.local.executions.records import Records
from pipelines.local.steps.step_context import StepResult

USABLE_SOURCES = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Selection:
    """The steps to run, and the ends of the steps before them, taken from an earlier execution."""

    selected: frozenset[str]
    reused: Mapping[str, StepEnd]
    source: str | None


def select(definition: Definition, config: Document, records: Records) -> Selection:
    """Check a SelectiveExecutionConfig and look up what it reuses.

    Raises:
        ValidationError: a step does not exist, the selection has gaps, or the source lacks what is needed.
        ResourceNotFound: the source execution does not exist.
    """
    names = frozenset(step["StepName"] for step in config["SelectedSteps"])
    _require_known(names, definition)
    before = _ancestors(definition)
    _require_connected(names, before)
    needed = frozenset().union(*(before[name] for name in names)) - names
    source = config.get("SourcePipelineExecutionArn")
    return Selection(names, _reuse(needed, source, records), source)


def _require_known(names: frozenset[str], definition: Definition) -> None:
    unknown = sorted(names - definition.all_steps().keys())
    if unknown:
        known = ", ".join(definition.all_steps())
        raise ValidationError(f"Selected step {unknown[0]} is not in the pipeline, whose steps are: {known}.")


def _ancestors(definition: Definition) -> dict[str, frozenset[str]]:
    graph = Graph(definition)
    found: dict[str, frozenset[str]] = {}

    def ancestors(name: str) -> frozenset[str]:
        if name not in found:
            branch = graph.branch(name)
            parents = graph.upstream(name) | ({branch[0]} if branch else set())
            found[name] = frozenset(parents).union(*(ancestors(parent) for parent in parents))
        return found[name]

    for name in definition.all_steps():
        ancestors(name)
    return found


def _require_connected(names: frozenset[str], before: Mapping[str, frozenset[str]]) -> None:
    for name in sorted(names):
        gaps = sorted(step for step in before[name] - names if before[step] & names)
        if gaps:
            raise ValidationError(f"The selected steps are not connected: {gaps[0]} lies between them; select it too.")


def _reuse(needed: frozenset[str], source: str | None, records: Records) -> dict[str, StepEnd]:
    if source is None:
        if needed:
            raise ValidationError(f"SourcePipelineExecutionArn is needed for the result of step {min(needed)}.")
        return {}
    status = records.execution(source)["PipelineExecutionStatus"]
    if status not in USABLE_SOURCES:
        allowed = " or ".join(USABLE_SOURCES)
        raise ValidationError(f"The source execution {source} is {status}; it must be {allowed}.")
    ends = succeeded_steps(records, source)
    missing = sorted(needed - ends.keys())
    if missing:
        raise ValidationError(f"Step {missing[0]} did not succeed in the source execution {source}.")
    return {name: ends[name] for name in needed}


def succeeded_steps(records: Records, execution_arn: str) -> dict[str, StepEnd]:
    """Return the ends of the steps that succeeded in an execution."""
    return {
        shown["StepName"]: StepEnd(SUCCEEDED, StepResult(shown["Metadata"]))
        for shown in (document["Step"] for document in records.steps(execution_arn))
        if shown["StepStatus"] == SUCCEEDED
    }
