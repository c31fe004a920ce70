"""Training jobs as runs of MLflow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.delivery.run import Site
from pipelines.delivery.tracking.opening import open_store
from pipelines.delivery.tracking.places import Tracking
from pipelines.delivery.tracking.records import Measured, Record, status_of

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# What the SDK and the service add to the hyperparameters of whoever trains.
_NOT_THE_USERS = ("sagemaker_", "_tuning_objective_metric")


def track_training_jobs(site: Site, names: Sequence[str], tracking: Tracking, experiment: str) -> list[str]:
    """Record training jobs, each as a run of an experiment, and return the runs' IDs in the order of the names.

    Recorded again, they are the same runs.

    Raises:
        TrackingError: the store cannot be reached or read.
    """
    records = [training_record(site.client, name) for name in names]
    store = open_store(tracking)
    place = store.experiment(experiment)
    return [store.write(place, record) for record in records]


def training_record(client: SageMakerClient, job: str, name: str | None = None) -> Record:
    """Return what a training job was and came to; the run has the job's name unless it is given another."""
    said: Mapping[str, Any] = client.describe_training_job(TrainingJobName=job)
    return Record(
        key=said["TrainingJobArn"],
        kind="training job",
        name=name or job,
        status=status_of(said["TrainingJobStatus"]),
        started=said.get("TrainingStartTime", said.get("CreationTime")),
        ended=ended_at(said, "TrainingJobStatus"),
        parameters=hyperparameters(said.get("HyperParameters", {})),
        metrics={
            each["MetricName"]: Measured(float(each["Value"]), each.get("Timestamp"))
            for each in said.get("FinalMetricDataList", ())
        },
        tags={
            "status": said["TrainingJobStatus"],
            "failure_reason": said.get("FailureReason"),
            "image": image(said.get("AlgorithmSpecification", {})),
            "instance": instance(said.get("ResourceConfig", {})),
            "model": said.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
        },
    )


def hyperparameters(told: Mapping[str, str]) -> dict[str, str]:
    """Return the hyperparameters that a person set, as they were before the SDK wrote them as JSON."""
    return {name: _plain(value) for name, value in told.items() if not name.startswith(_NOT_THE_USERS)}


def image(algorithm: Mapping[str, Any]) -> str | None:
    """Return the image of a job, or the name of its algorithm."""
    return algorithm.get("TrainingImage") or algorithm.get("AlgorithmName")


def instance(resources: Mapping[str, Any]) -> str | None:
    """Return the machines of a job, such as `ml.m5.xlarge` or `2 of ml.m5.xlarge`."""
    kind, count = resources.get("InstanceType"), resources.get("InstanceCount", 1)
    return kind and (kind if count == 1 else f"{count} of {kind}")


def ended_at(said: Mapping[str, Any], status: str) -> Any:
    """Return when a job ended; none while it runs. One that failed before it started has no times of its own."""
    if status_of(said[status]) == "RUNNING":
        return None
    return said.get("TrainingEndTime") or said.get("LastModifiedTime")


def _plain(value: str) -> str:
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return decoded if isinstance(decoded, str) else value
