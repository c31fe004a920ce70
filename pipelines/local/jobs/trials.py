"""The trials of a tuning job: training jobs that are watched while they run, and judged when they end."""

import hashlib
import math
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.local.containers.metrics import matches
from pipelines.local.containers.stop import Stop
from pipelines.local.database import Document
from pipelines.local.errors import ServiceError
from pipelines.local.jobs import training
from pipelines.local.jobs.early_stopping import Curve, Never, Rule, end_of
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.tuning_plan import Objective, TrialDefinition
from pipelines.local.jobs.workspace import log_file

LOOK_EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class Trial:
    """One trial: a definition with hyperparameters, and what its training job has come to so far.

    `peers` are the curves of the trials whose results were known when this one was chosen. `value` is the objective's
    value, or None; `ended_early` says that the early stopping rule ended it, and the value is the one it had then.
    """

    number: int
    name: str
    definition: TrialDefinition
    tuned: dict[str, str]
    peers: tuple[Curve, ...] = ()
    description: Document = field(default_factory=dict)
    curve: Curve = ()
    value: float | None = None
    ended_early: bool = False

    @property
    def score(self) -> float | None:
        """The value as a number that is better when it is higher, or None."""
        return None if self.value is None else self.definition.objective.score(self.value)

    @property
    def status(self) -> str:
        """The status of the training job."""
        status: str = self.description["TrainingJobStatus"]
        return status

    @property
    def objective_status(self) -> str:
        """Whether the objective's value is known, will be known, or will not."""
        if self.status == "InProgress":
            return "Pending"
        return "Failed" if self.value is None else "Succeeded"

    @property
    def problem(self) -> str:
        """Why there is no value."""
        missing = f"its log has no value of the objective metric '{self.definition.objective.metric}'"
        return str(self.description.get("FailureReason") or f"it ended as {self.status}, but {missing}")


def trial_name(tuning_job: str, number: int) -> str:
    """Return the name of a trial's training job, the same for the same tuning job and number (counted from 0)."""
    suffix = hashlib.sha256(f"{tuning_job}/{number}".encode()).hexdigest()[:8]
    return f"{tuning_job}-{number + 1:03d}-{suffix}"


def summary(trial: Trial, tuning_job: str) -> Document:
    """Return a trial as ListTrainingJobsForHyperParameterTuningJob shows it."""
    shown = ("CreationTime", "TrainingStartTime", "TrainingEndTime", "TrainingJobStatus", "FailureReason")
    objective = trial.definition.objective
    document = {
        "TrainingJobName": trial.name,
        "TrainingJobArn": trial.description["TrainingJobArn"],
        "TuningJobName": tuning_job,
        **{name: trial.description[name] for name in shown if name in trial.description},
        "TunedHyperParameters": trial.tuned,
        "ObjectiveStatus": trial.objective_status,
    }
    if trial.definition.name:
        document["TrainingJobDefinitionName"] = trial.definition.name
    if trial.value is not None:
        document["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "Type": "Maximize" if objective.maximize else "Minimize",
            "MetricName": objective.metric,
            "Value": trial.value,
        }
    return document


def create_trial(machine: Machine, trial: Trial, tuning_arn: str) -> Trial:
    """Create the training job of a trial; one that the service refuses counts as failed."""
    try:
        training.create(machine, trial.name, trial.definition.training_request(trial.tuned))
    except ServiceError as error:
        refused: Document = {
            "TrainingJobArn": machine.arn(f"{training.KIND}/{trial.name}"),
            "TrainingJobStatus": "Failed",
            "FailureReason": f"ClientError: {error.message}",
            "CreationTime": time.time(),
        }
        return replace(trial, description=refused)
    return replace(trial, description=machine.database.update(training.KIND, trial.name, TuningJobArn=tuning_arn))


def run_trial(machine: Machine, trial: Trial, rule: Rule, stop: Stop, *, cpus: int) -> Trial:
    """Run the training job of a trial to its end, or to where the rule ends it, and return it with its result."""
    objective = trial.definition.objective
    log = ObjectiveLog(log_file(machine, training.KIND, trial.name), objective)
    own_stop = Stop()
    with stop.on_set(own_stop.set), _watched(log, trial.peers, rule, own_stop):
        description = training.run(machine, trial.name, own_stop, cpus=cpus)
    scores = () if isinstance(rule, Never) else log.read()
    # The rule decides on the whole log, so that a job that was faster than its end has the same result.
    end = end_of(scores, trial.peers, rule)
    if end is not None and description["TrainingJobStatus"] != "Failed":
        value, curve = objective.score(scores[end]), scores[: end + 1]
        return replace(trial, description=description, curve=curve, value=value, ended_early=True)
    completed = description["TrainingJobStatus"] == "Completed"
    value_or_none = _final_value(description, objective.metric) if completed else None
    return replace(trial, description=description, curve=scores, value=value_or_none)


def _final_value(description: Document, metric: str) -> float | None:
    values = [one["Value"] for one in description.get("FinalMetricDataList", []) if one["MetricName"] == metric]
    return next((float(value) for value in values if math.isfinite(value)), None)


@contextmanager
def _watched(log: "ObjectiveLog", peers: Sequence[Curve], rule: Rule, stop: Stop) -> Iterator[None]:
    """Make the stop happen when the rule says so, as long as the context lasts."""
    if isinstance(rule, Never):
        yield
        return
    over = threading.Event()

    def watch() -> None:
        known = 0
        while not over.wait(LOOK_EVERY_SECONDS):
            scores = log.read()
            if end_of(scores, peers, rule, known=known) is not None:
                stop.set()
                return
            known = len(scores)

    watcher = threading.Thread(target=watch, name="early stopping")
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


class ObjectiveLog:
    """The objective's values in a log that grows, as scores: better when higher."""

    def __init__(self, file: Path, objective: Objective) -> None:
        self._file = file
        self._objective = objective
        self._patterns = [(one["Name"], re.compile(one["Regex"])) for one in objective.definitions]
        self._offset = 0
        self._scores: list[float] = []

    def read(self) -> tuple[float, ...]:
        """Return all scores in the lines that are complete by now."""
        if self._file.exists():
            with self._file.open("rb") as stream:
                stream.seek(self._offset)
                content = stream.read()
            complete = content[: content.rfind(b"\n") + 1]
            self._offset += len(complete)
            self._scores.extend(self._scores_of(complete.decode(errors="replace")))
        return tuple(self._scores)

    def _scores_of(self, text: str) -> Iterator[float]:
        for line in text.splitlines():
            found = dict(matches(line, self._patterns, xgboost=self._objective.xgboost))
            value = _number(found.get(self._objective.metric, ""))
            if value is not None:
                yield self._objective.score(value)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
