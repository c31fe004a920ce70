"""The facts of an execution that ended, as both renderings take them. What is not known is none or empty."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.delivery.gate import Verdict, auc_check
from pipelines.delivery.report.graph import Graph
from pipelines.delivery.report.quality import Quality


@dataclass(frozen=True)
class StepFact:
    """A step that was scheduled; offset is in seconds after the execution's start, says its result or failure.

    The log is the end of a failed step's.
    """

    name: str
    type: str
    state: str
    offset: float | None = None
    seconds: float | None = None
    says: str = ""
    cache_reason: str | None = None
    show_log: str | None = None
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A training job of a tuning job, with the objective's final value."""

    number: int
    name: str
    status: str
    value: float | None
    hyperparameters: Mapping[str, str]
    seconds: float | None = None
    is_best: bool = False


@dataclass(frozen=True)
class Tuning:
    """A tuning step's trials in the order of their start."""

    step: str
    objective: str
    minimize: bool
    trials: tuple[Trial, ...]

    @property
    def measured(self) -> tuple[Trial, ...]:
        """The trials that have a value."""
        return tuple(trial for trial in self.trials if trial.value is not None)


@dataclass(frozen=True)
class Report:
    """An evaluation report, the step that wrote it and its place in S3."""

    step: str
    quality: Quality
    uri: str = ""


@dataclass(frozen=True)
class Champion:
    """The newest approved model package of the group before this run's, with its value of the gate's metric.

    One that has other data was measured on another test set than this run's model.
    """

    name: str
    value: float | None
    quality: Quality | None = None
    has_other_data: bool = False


@dataclass(frozen=True)
class PackageFact:
    """The registered model package, and the command that approves it."""

    arn: str
    approval: str
    approve: str

    @property
    def name(self) -> str:
        """The group and the version, as people call it."""
        return self.arn.partition("model-package/")[2] or self.arn


@dataclass(frozen=True)
class Facts:
    """All that a report says."""

    pipeline: str
    execution_arn: str
    status: str
    verdict: Verdict
    started: datetime | None = None
    seconds: float | None = None
    is_local: bool = False
    steps: tuple[StepFact, ...] = ()
    graph: Graph = field(default_factory=Graph)
    reports: tuple[Report, ...] = ()
    tuning: Tuning | None = None
    importance: tuple[tuple[str, float], ...] = ()
    champion: Champion | None = None
    package: PackageFact | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    commit: str | None = None
    data_hash: str | None = None

    @property
    def report(self) -> Report | None:
        """The report of the model that the run ended with, or of the last one that left a report."""
        return self.reports[-1] if self.reports else None

    @property
    def metric(self) -> str | None:
        """The name of the metric that the gate is about."""
        check = auc_check(self.verdict.checks)
        if check is None and len(self.verdict.checks) == 1:
            check = self.verdict.checks[0]
        return check.metric if check else None

    @property
    def first_value(self) -> float | None:
        """What the condition saw."""
        return self._check_value("value")

    @property
    def threshold(self) -> float | None:
        """What it was held against."""
        return self._check_value("threshold")

    @property
    def tuned_value(self) -> float | None:
        """The tuned model's value of the metric."""
        return self.verdict.tuned_roc_auc

    @property
    def value(self) -> float | None:
        """The metric's value of the model that the run ended with."""
        return self.first_value if self.tuned_value is None else self.tuned_value

    @property
    def difference(self) -> float | None:
        """How much higher than the champion's the value is."""
        return self.verdict.difference

    @property
    def cached(self) -> int:
        """How many steps took an earlier execution's result."""
        return sum(step.state == "cached" for step in self.steps)

    def _check_value(self, side: str) -> float | None:
        found = [check for check in self.verdict.checks if check.metric == self.metric]
        value = getattr(found[0], side) if len(found) == 1 else None
        return float(value) if value is not None else None
