"""Tuning jobs: from a CreateHyperParameterTuningJob request to its description."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from pipelines.local.containers.stop import Stop
from pipelines.local.database import Document
from pipelines.local.errors import StateError, ValidationError
from pipelines.local.jobs import requests, training
from pipelines.local.jobs.early_stopping import Curve
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.search import Search
from pipelines.local.jobs.training_request import check as check_training
from pipelines.local.jobs.trials import Trial, create_trial, run_trial, trial_name
from pipelines.local.jobs.tuning_plan import Plan, read_plan
from pipelines.local.jobs.tuning_progress import progress

KIND = "hyper-parameter-tuning-job"
OPERATION = "CreateHyperParameterTuningJob"
ENDED = ("Completed", "Failed", "Stopped")
REASON_CHARACTERS = 1024
BUG = "InternalServerError: see the error output."


def create(machine: Machine, name: str, request: Document) -> Document:
    """Check a request, which has no HyperParameterTuningJobName, and write down the job as InProgress.

    Raises:
        ServiceError: the request is not allowed, or the name is taken; nothing was written.
    """
    requests.check_request(machine, OPERATION, {**request, "HyperParameterTuningJobName": name})
    plan = read_plan(request)
    _check_trials(machine, name, plan)
    _check_parents(machine, plan)
    now = time.time()
    description = {
        **requests.described(machine, "DescribeHyperParameterTuningJob", request),
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobArn": machine.arn(f"{KIND}/{name}"),
        "HyperParameterTuningJobStatus": "InProgress",
        "CreationTime": now,
        "LastModifiedTime": now,
        **progress([], name),
    }
    requests.insert_job(machine, KIND, name, description)
    return description


def _check_trials(machine: Machine, name: str, plan: Plan) -> None:
    """Check what the trials will ask for, with the values that they share."""
    for definition in plan.definitions:
        request = definition.training_request({})
        requests.check_request(machine, "CreateTrainingJob", {**request, "TrainingJobName": trial_name(name, 0)})
        check_training(request)


def _check_parents(machine: Machine, plan: Plan) -> None:
    for name in plan.parents:
        parent = machine.database.get(KIND, name)
        where = f"WarmStartConfig.ParentHyperParameterTuningJobs: {name}"
        if parent is None:
            raise ValidationError(f"{where} does not exist on this machine.")
        if parent["HyperParameterTuningJobStatus"] not in ENDED:
            raise ValidationError(f"{where} is {parent['HyperParameterTuningJobStatus']}; wait until it has ended.")
        if "WarmStartConfig" in parent:
            raise ValidationError(f"{where} was warm-started itself; such a job cannot be a parent.")
        theirs, ours = read_plan(parent).definitions[0].objective, plan.definitions[0].objective
        if (theirs.metric, theirs.maximize) != (ours.metric, ours.maximize):
            raise ValidationError(f"{where} has the objective {theirs.metric}, this job has {ours.metric}.")


def run(machine: Machine, name: str, stop: Stop) -> Document:
    """Run a created job to its end and return its description; a failure is in there, and never raised."""
    description = machine.database.get(KIND, name)
    if description is None:
        raise KeyError(f"{KIND} {name}")
    return _Run(machine, description, stop).run()


def recover(machine: Machine, name: str, reason: str) -> Document:
    """Mark a job whose process is gone, and its trials, as failed for a reason, and return its description."""
    with machine.database.transaction():
        description = machine.database.get(KIND, name) or {}
        if description.get("HyperParameterTuningJobStatus") not in ("InProgress", "Stopping"):
            return description
        for trial in description["TrainingJobSummaries"]:
            if trial["TrainingJobStatus"] == "InProgress":
                trial |= {"TrainingJobStatus": "Failed", "FailureReason": reason, "ObjectiveStatus": "Failed"}
                training.recover(machine, trial["TrainingJobName"], reason)
        now = time.time()
        return machine.database.update(
            KIND,
            name,
            HyperParameterTuningJobStatus="Failed",
            FailureReason=reason,
            HyperParameterTuningEndTime=now,
            LastModifiedTime=now,
            TrainingJobSummaries=description["TrainingJobSummaries"],
        )


class _Run:
    """A run of a tuning job: asks the search for trials, runs them side by side, tells the results.

    Trial k is chosen when exactly the results of the trials 0 to k-P are known to the search, where P is how many may
    run at once. So the same request makes the same trials, whichever of them ends first and however many CPUs there
    are.
    """

    def __init__(self, machine: Machine, description: Document, stop: Stop) -> None:
        self._machine = machine
        self._name: str = description["HyperParameterTuningJobName"]
        self._arn: str = description["HyperParameterTuningJobArn"]
        self._started: float = description["CreationTime"]
        self._plan = read_plan(description)
        self._stop = stop
        self._halt = Stop()
        self._lock = threading.Lock()
        self._begun: dict[int, Trial] = {}
        self._told: list[Trial] = []
        self._curves: list[list[Curve]] = [[] for _ in self._plan.definitions]
        self._parents = [trial for parent in self._plan.parents for trial in _trials_of(machine, parent)]
        self._searches = self._make_searches()

    def _make_searches(self) -> list[Search]:
        plan = self._plan
        share = -(-plan.limits.trials // len(plan.definitions))
        searches = [
            Search(definition.space, plan.strategy, seed=plan.seed + index, trials=share)
            for index, definition in enumerate(plan.definitions)
        ]
        for definition, search in zip(plan.definitions, searches, strict=True):
            for trial in self._parents:
                value = trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
                search.add(trial["AllHyperParameters"], definition.objective.score(value))
        return searches

    def run(self) -> Document:
        """Run all trials, and return the job's final description."""
        processes = min(self._plan.limits.parallel, self._plan.limits.trials, _cpu_count())
        cpus = max(1, _cpu_count() // processes)
        try:
            # In this order, so that the pool waits for trials that were told to end.
            with ThreadPoolExecutor(processes, thread_name_prefix=f"tuning {self._name}") as pool, self._stopping():
                self._run_trials(pool, cpus)
        except StateError:
            # Left as it is, for `recover` to end together with trials whose end could not be written.
            raise
        except BaseException:
            self._finish({"HyperParameterTuningJobStatus": "Failed", "FailureReason": BUG})
            raise
        return self._finish(self._outcome())

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """End the trials when somebody stops the job, or its time is up."""
        seconds = self._plan.limits.seconds
        timer = threading.Timer(seconds, self._halt.set) if seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            with self._stop.on_set(self._mark_stopping), self._stop.on_set(self._halt.set):
                yield
        except BaseException:
            self._halt.set()
            raise
        finally:
            if timer:
                timer.cancel()

    def _mark_stopping(self) -> None:
        with self._machine.database.transaction():
            description = self._machine.database.get(KIND, self._name) or {}
            if description.get("HyperParameterTuningJobStatus") == "InProgress":
                self._machine.database.update(KIND, self._name, HyperParameterTuningJobStatus="Stopping")

    def _run_trials(self, pool: ThreadPoolExecutor, cpus: int) -> None:
        limits = self._plan.limits
        running: list[Future[Trial]] = []
        for number in range(limits.trials):
            if number >= limits.parallel:
                self._tell(running.pop(0).result())
            if self._halt.is_set() or self._is_good_enough():
                break
            running.append(pool.submit(self._run_trial, self._ask(number), cpus))
        for future in running:
            self._tell(future.result())

    def _ask(self, number: int) -> Trial:
        index = number % len(self._plan.definitions)
        return Trial(
            number,
            trial_name(self._name, number),
            self._plan.definitions[index],
            self._searches[index].ask(),
            peers=tuple(self._curves[index]),
        )

    def _tell(self, trial: Trial) -> None:
        index, place = trial.number % len(self._plan.definitions), trial.number // len(self._plan.definitions)
        self._searches[index].tell(place, trial.score)
        self._told.append(trial)
        if trial.curve:
            self._curves[index].append(trial.curve)

    def _run_trial(self, trial: Trial, cpus: int) -> Trial:
        if self._halt.is_set():
            return trial
        trial = self._note(create_trial(self._machine, trial, self._arn))
        if trial.status != "InProgress":
            return trial
        return self._note(run_trial(self._machine, trial, self._plan.rule, self._halt, cpus=cpus))

    def _note(self, trial: Trial) -> Trial:
        with self._lock:
            self._begun[trial.number] = trial
            self._write()
        return trial

    def _is_good_enough(self) -> bool:
        """Tell whether the completion criteria are met by the results that are known to the search."""
        limits = self._plan.limits
        scores = [float("-inf") if trial.score is None else trial.score for trial in self._told]
        if not scores:
            return False
        best = max(scores)
        if limits.target is not None and best >= self._plan.definitions[0].objective.score(limits.target):
            return True
        return limits.not_improving is not None and len(scores) - scores.index(best) > limits.not_improving

    def _write(self, **changes: Any) -> Document:
        """Write down where the job stands."""
        changes |= {"LastModifiedTime": time.time(), **progress(list(self._begun.values()), self._name)}
        if "BestTrainingJob" in changes and self._plan.parents:
            changes["OverallBestTrainingJob"] = self._overall_best(changes["BestTrainingJob"])
        return self._machine.database.update(KIND, self._name, **changes)

    def _finish(self, outcome: Document) -> Document:
        now = time.time()
        consumed = {"RuntimeInSeconds": round(now - self._started)}
        return self._write(**outcome, HyperParameterTuningEndTime=now, ConsumedResources=consumed)

    def _overall_best(self, own: Document) -> Document:
        earlier = [
            {name: value for name, value in one.items() if name != "AllHyperParameters"} for one in self._parents
        ]
        score = self._plan.definitions[0].objective.score
        return max([own, *earlier], key=lambda one: score(one["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]))

    def _outcome(self) -> Document:
        """Return the job's final status; where the time was up, what is there counts."""
        if self._stop.is_set():
            return {"HyperParameterTuningJobStatus": "Stopped"}
        if any(trial.value is not None for trial in self._begun.values()):
            return {"HyperParameterTuningJobStatus": "Completed"}
        first = self._begun.get(0)
        which = f"The first, {first.name}: {first.problem}" if first else "None was begun."
        reason = f"All training jobs failed. {which}"
        return {"HyperParameterTuningJobStatus": "Failed", "FailureReason": reason[:REASON_CHARACTERS]}


def _trials_of(machine: Machine, parent: str) -> list[Document]:
    """Return the trials of a parent that have a result, in order, each with all of its hyperparameters."""
    description = machine.database.get(KIND, parent) or {"TrainingJobSummaries": []}
    static = {one.name: one.request["HyperParameters"] for one in read_plan(description).definitions}
    trials = sorted(description["TrainingJobSummaries"], key=lambda trial: str(trial["TrainingJobName"]))
    return [
        {
            **trial,
            "AllHyperParameters": {
                **static[trial.get("TrainingJobDefinitionName")],
                **trial["TunedHyperParameters"],
            },
        }
        for trial in trials
        if "FinalHyperParameterTuningJobObjectiveMetric" in trial
    ]


def _cpu_count() -> int:
    # macOS has no affinity.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
