"""An execution at one moment: its steps with what is known of their jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TERMINAL = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})
STEP_TERMINAL = frozenset({"Succeeded", "Failed", "Stopped"})


@dataclass(frozen=True)
class Trials:
    """A tuning job's trials: how many of the total ended how, and the best value of the objective so far."""

    completed: int
    running: int
    failed: int
    total: int
    objective: str | None
    best: float | None
    best_job: str | None


@dataclass(frozen=True)
class Step:
    """A step that the service lists; arn is the one of its job, model or model package."""

    name: str
    type: str
    status: str
    started: datetime | None = None
    ended: datetime | None = None
    cache_source: str | None = None
    failure_reason: str | None = None
    exit_message: str | None = None
    arn: str | None = None
    outcome: bool | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    trials: Trials | None = None
    model_uri: str | None = None

    @property
    def seconds(self) -> float | None:
        """How long the step took; none while it runs."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None

    @property
    def job(self) -> str | None:
        """The name of the step's job, or of what it made."""
        return self.arn.rpartition("/")[2] if self.arn else None

    @property
    def has_ended(self) -> bool:
        """Whether the step's status is its last."""
        return self.status in STEP_TERMINAL


@dataclass(frozen=True)
class Execution:
    """An execution and the steps that were scheduled so far, oldest first."""

    arn: str
    status: str
    started: datetime | None
    ended: datetime | None
    failure_reason: str | None
    steps: tuple[Step, ...]

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.arn.split("pipeline/")[-1].partition("/")[0]

    @property
    def seconds(self) -> float | None:
        """How long the execution took; none while it runs."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None

    @property
    def has_ended(self) -> bool:
        """Whether the execution's status is its last."""
        return self.status in TERMINAL

    def of_type(self, step_type: str) -> list[Step]:
        """Return the scheduled steps of a type."""
        return [step for step in self.steps if step.type == step_type]

    def find(self, name: str) -> Step | None:
        """Return the scheduled step of that name."""
        return next((step for step in self.steps if step.name == name), None)


def read_execution(description: Mapping[str, Any], steps: tuple[Step, ...]) -> Execution:
    """Read the service's description of an execution."""
    status = description["PipelineExecutionStatus"]
    return Execution(
        arn=description["PipelineExecutionArn"],
        status=status,
        started=description.get("CreationTime"),
        ended=description.get("LastModifiedTime") if status in TERMINAL else None,
        failure_reason=description.get("FailureReason"),
        steps=steps,
    )


def _metadata(entry: Mapping[str, Any], fallback: str) -> tuple[str, Mapping[str, Any]]:
    """Return the one member that a step's metadata have: the kind of its resource, and what is known of that."""
    for kind, metadata in entry.get("Metadata", {}).items():
        return kind, metadata
    return fallback, {}


def read_step(entry: Mapping[str, Any], planned_type: str | None) -> Step:
    """Read an entry of the service's list of steps; a step without metadata yet has its type from the definition."""
    kind, metadata = _metadata(entry, planned_type or "Unknown")
    outcome = metadata.get("Outcome")
    return Step(
        name=entry["StepName"],
        type=planned_type or kind.removesuffix("Job"),
        status=entry["StepStatus"],
        started=entry.get("StartTime"),
        ended=entry.get("EndTime"),
        cache_source=entry.get("CacheHitResult", {}).get("SourcePipelineExecutionArn") or None,
        failure_reason=entry.get("FailureReason"),
        exit_message=metadata.get("ErrorMessage") or None,
        arn=metadata.get("Arn"),
        outcome=None if outcome is None else outcome == "True",
    )
