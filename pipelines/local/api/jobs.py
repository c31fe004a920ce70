"""The operations on processing, training, tuning and transform jobs: create, describe, list, stop."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.local.api.listing import containing, ordered, page, pick, within_times
from pipelines.local.containers.stop import Stop
from pipelines.local.database import Document
from pipelines.local.errors import ResourceNotFound, ValidationError
from pipelines.local.jobs import processing, training, transform, tuning
from pipelines.local.jobs.machine import Machine


@dataclass(frozen=True)
class JobApi:
    """How the API names one kind of job, and what carries it out."""

    api_name: str
    end_time: str
    kind: str
    create: Callable[[Machine, str, Document], Document]
    run: Callable[[Machine, str, Stop], Document]


PROCESSING = JobApi("ProcessingJob", "ProcessingEndTime", processing.KIND, processing.create, processing.run)
TRAINING = JobApi("TrainingJob", "TrainingEndTime", training.KIND, training.create, training.run)
TUNING = JobApi("HyperParameterTuningJob", "HyperParameterTuningEndTime", tuning.KIND, tuning.create, tuning.run)
TRANSFORM = JobApi("TransformJob", "TransformEndTime", transform.KIND, transform.create, transform.run)


class Jobs:
    """The jobs of one kind, as the service shows them; those created here run in threads of this process."""

    def __init__(self, machine: Machine, api: JobApi) -> None:
        self._machine = machine
        self._api = api
        self._stops: dict[str, Stop] = {}
        self._threads: list[threading.Thread] = []

    def create(self, request: Document) -> Document:
        """Create a job, and start it."""
        name = request[f"{self._api.api_name}Name"]
        rest = {key: value for key, value in request.items() if key != f"{self._api.api_name}Name"}
        description = self._api.create(self._machine, name, rest)
        stop = self._stops[name] = Stop()
        thread = threading.Thread(target=self._run, args=(name, stop), name=f"job {name}")
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()
        return pick(description, f"{self._api.api_name}Arn")

    def _run(self, name: str, stop: Stop) -> None:
        try:
            self._api.run(self._machine, name, stop)
        finally:
            del self._stops[name]

    def stop_all(self) -> None:
        """Stop every job that runs on its own in this process, and wait until they have ended."""
        for stop in list(self._stops.values()):
            stop.set()
        for thread in list(self._threads):
            thread.join()

    def describe(self, request: Document) -> Document:
        """Describe a job."""
        shape = self._machine.model.operation_model(f"Describe{self._api.api_name}").output_shape
        assert shape is not None
        return pick(self._find(request[f"{self._api.api_name}Name"]), *shape.members)

    def _find(self, name: str) -> Document:
        description = self._machine.database.get(self._api.kind, name)
        if description is None:
            arn = self._machine.arn(f"{self._api.kind}/{name}")
            if self._api is TUNING:
                raise ResourceNotFound(f"Requested resource not found: {arn}.")
            raise ValidationError(f"Requested resource not found: {arn}.")
        return description

    def list(self, request: Document) -> Document:
        """List jobs, the newest first unless asked otherwise."""
        name, status = self._api.api_name, request.get("StatusEquals")
        found = containing(within_times(self._machine.database.list(self._api.kind), request), request, f"{name}Name")
        found = [job for job in found if status in (None, job[f"{name}Status"])]
        keys = {"CreationTime": "CreationTime", "Name": f"{name}Name", "Status": f"{name}Status"}
        members = (f"{name}Name", f"{name}Arn", "CreationTime", self._api.end_time, "LastModifiedTime", f"{name}Status")
        summaries = [pick(job, *members) | self._more(job) for job in ordered(found, request, keys)]
        return page("TrainingJobSummaries" if self._api is TRAINING else f"{name}Summaries", summaries, request)

    def _more(self, job: Document) -> dict[str, Any]:
        if self._api is TRANSFORM:
            return pick(job, "FailureReason")
        if self._api is not TUNING:
            return {}
        config = job["HyperParameterTuningJobConfig"]
        counters = pick(job, "TrainingJobStatusCounters", "ObjectiveStatusCounters")
        return {**counters, "Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}

    def stop(self, request: Document) -> Document:
        """Stop a job that this process runs."""
        name = request[f"{self._api.api_name}Name"]
        self._find(name)
        stop = self._stops.get(name)
        if stop is None:
            raise ValidationError(
                f"{self._api.api_name} {name} is not running on its own in this process: it has ended, or it belongs "
                "to a pipeline execution, which can be stopped."
            )
        stop.set()
        return {}

    def list_trials(self, request: Document) -> Document:
        """ListTrainingJobsForHyperParameterTuningJob: by name, unless asked otherwise."""
        trials = self._find(request[f"{self._api.api_name}Name"]).get("TrainingJobSummaries", [])
        status = request.get("StatusEquals")
        found = [trial for trial in trials if status in (None, trial["TrainingJobStatus"])]
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            found = [trial for trial in found if "FinalHyperParameterTuningJobObjectiveMetric" in trial]
            found.sort(key=_objective, reverse=request.get("SortOrder", "Ascending") == "Descending")
        else:
            keys = {"Name": "TrainingJobName", "CreationTime": "CreationTime", "Status": "TrainingJobStatus"}
            found = ordered(found, request, keys, default_order="Ascending")
        return page("TrainingJobSummaries", found, request)


def all_jobs(machine: Machine) -> dict[str, Jobs]:
    """Return the jobs of every kind, by the kind's name in the API."""
    return {api.api_name: Jobs(machine, api) for api in (PROCESSING, TRAINING, TUNING, TRANSFORM)}


def _objective(trial: Document) -> float:
    return float(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
