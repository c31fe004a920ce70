"""Executions as lines of a list: what became of each, how long it took, and which parameters tell them apart."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from pipelines.delivery.definition import Run
from pipelines.delivery.run import Result, review
from pipelines.delivery.wording import one_line, state
from pipelines.ui.rendering import address

if TYPE_CHECKING:
    from pipelines.delivery.run import Site

# As many lines as a person has seen lately; each is some hundred bytes.
MOST_KEPT = 2_000
MOST_MARKS = 40
WORDS = {
    "registered": "Registered",
    "rejected": "Rejected",
    "finished": "Finished",
    "failed": "Failed",
    "stopped": "Stopped",
    "running": "Running",
    "stopping": "Stopping",
}


@dataclass(frozen=True)
class Mark:
    """Steps of one state that stand beside each other."""

    state: str
    size: int
    names: str


@dataclass(frozen=True)
class Line:
    """An execution; value is the metric's that its gate was about, parameters those that set it apart."""

    name: str
    address: str
    kind: str
    started: datetime | None
    seconds: float | None
    reason: str = ""
    value: float | None = None
    threshold: float | None = None
    package: str | None = None
    marks: tuple[Mark, ...] = ()
    said: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    display_name: str | None = None

    @property
    def word(self) -> str:
        """What became of it."""
        return WORDS[self.kind]

    @property
    def is_live(self) -> bool:
        """Whether it goes on."""
        return self.kind in {"running", "stopping"}


@dataclass(frozen=True)
class Listing:
    """A page of a pipeline's executions, the newest first, and the token of the older ones.

    The same are the parameters that all lines share, and that are not as the definition has them.
    """

    lines: tuple[Line, ...]
    older: str | None
    same: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        """Whether any goes on."""
        return any(line.is_live for line in self.lines)


class Runs:
    """The executions of a SageMaker; those that have ended are looked into once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, datetime], Line] = {}

    def list(self, pipeline: str, size: int, token: str | None = None) -> Listing:
        """Return executions of a pipeline, from the token's on."""
        page = {"NextToken": token} if token else {}
        answer = self._site.client.list_pipeline_executions(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=size, **page
        )
        lines = [self._line(pipeline, each["PipelineExecutionArn"]) for each in answer["PipelineExecutionSummaries"]]
        return _told_apart(lines, answer.get("NextToken"))

    def _line(self, pipeline: str, arn: str) -> Line:
        found = self._site.client.describe_pipeline_execution(PipelineExecutionArn=arn)
        key = arn, found["LastModifiedTime"]
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        result = review(self._site, arn)
        line = replace(_line(pipeline, result), display_name=found.get("PipelineExecutionDisplayName"))
        if result.execution.has_ended:
            with self._lock:
                self._kept[key] = line
                while len(self._kept) > MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
        return line


def kind_of(result: Result) -> str:
    """Return one word for what became of an execution, or for what it does."""
    status = result.execution.status
    if not result.execution.has_ended:
        return "stopping" if status == "Stopping" else "running"
    return "stopped" if status == "Stopped" else result.verdict.outcome


def seconds_of(result: Result) -> float | None:
    """Return how long an execution took, or takes by now."""
    execution = result.execution
    if execution.has_ended or execution.started is None:
        return execution.seconds
    return (datetime.now(UTC) - execution.started).total_seconds()


def _line(pipeline: str, result: Result) -> Line:
    execution, verdict = result.execution, result.verdict
    kind = kind_of(result)
    marks = tuple(_marks(result))
    name = execution.arn.rpartition("/")[2]
    return Line(
        name=name,
        address=address("pipelines", pipeline, "executions", name),
        kind=kind,
        started=execution.started,
        seconds=seconds_of(result),
        reason=one_line(verdict.reason) if kind in {"failed", "rejected"} else "",
        value=verdict.candidate_roc_auc,
        threshold=verdict.threshold,
        package=verdict.model_package_arn,
        marks=marks,
        said=", ".join(f"{mark.size} {mark.state}" for mark in _counted(marks)),
        values={name: str(value) for name, value in result.run.values.items()},
        defaults=_defaults(result.run),
    )


def _defaults(run: Run) -> Mapping[str, str]:
    return {each.name: str(each.default) for each in run.definition.parameters.values()}


def _marks(result: Result) -> list[Mark]:
    """Return a mark for each step; where there are too many, for each row of steps in the same state."""
    states = [(step.name, state(step)) for step in result.execution.steps]
    if len(states) <= MOST_MARKS:
        return [Mark(found, 1, name) for name, found in states]
    rows = ((found, [name for name, _ in row]) for found, row in groupby(states, key=lambda each: each[1]))
    return [Mark(found, len(names), f"{names[0]} to {names[-1]}") for found, names in rows]


def _counted(marks: Sequence[Mark]) -> list[Mark]:
    states = dict.fromkeys(mark.state for mark in marks)
    return [Mark(each, sum(mark.size for mark in marks if mark.state == each), "") for each in states]


def _told_apart(lines: Sequence[Line], older: str | None) -> Listing:
    """Return lines with the parameters that are not the same in all, and those that are, but not the definition's."""
    # One line alone has nothing to differ from but its definition.
    if len(lines) == 1:
        return Listing((replace(lines[0], parameters=_own(lines[0])),), older)
    names = dict.fromkeys(name for line in lines for name in line.values)
    differing = {name for name in names if len({line.values.get(name) for line in lines}) > 1}
    apart = (
        replace(line, parameters={name: line.values[name] for name in line.values if name in differing})
        for line in lines
    )
    same = {name: value for line in lines for name, value in _own(line).items() if name not in differing}
    return Listing(tuple(apart), older, same)


def _own(line: Line) -> dict[str, str]:
    return {name: value for name, value in line.values.items() if not _same(value, line.defaults.get(name))}


def _same(value: str, default: str | None) -> bool:
    """Tell whether a value is a default, which may be a number that is written another way."""
    try:
        return value == default or float(value) == float(default or "nan")
    except ValueError:
        return False
