"""Training jobs: from a CreateTrainingJob request to its description."""

import time
from typing import Any

from pipelines.local.containers.container import Exit
from pipelines.local.containers.files import remove_tree
from pipelines.local.containers.metrics import final_metrics
from pipelines.local.containers.opt_ml import Tree
from pipelines.local.containers.stop import Stop
from pipelines.local.database import Document
from pipelines.local.jobs import requests
from pipelines.local.jobs.artifacts import model_uri, restore_checkpoints, save_checkpoints, upload_artifacts
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.training_container import container_of, failure_text, prepare
from pipelines.local.jobs.training_request import check, limit_of
from pipelines.local.jobs.workspace import JobFailure, algorithm_error, job_folder, job_tree, log_file

KIND = "training-job"
OPERATION = "CreateTrainingJob"
ENDS = {
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


def create(machine: Machine, name: str, request: Document) -> Document:
    """Check a request, which has no TrainingJobName, and write down the job as InProgress.

    Raises:
        ServiceError: the request is not allowed, or the name is taken; nothing was written.
    """
    requests.check_request(machine, OPERATION, {**request, "TrainingJobName": name})
    check(request)
    now = time.time()
    description = {
        **requests.described(machine, "DescribeTrainingJob", request),
        "TrainingJobName": name,
        "TrainingJobArn": machine.arn(f"{KIND}/{name}"),
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [transition("Starting", "Preparing the instances for training", now)],
        "StoppingCondition": {"MaxRuntimeInSeconds": limit_of(request), **request.get("StoppingCondition", {})},
        "ModelArtifacts": {"S3ModelArtifacts": model_uri(request, name)},
        "CreationTime": now,
        "LastModifiedTime": now,
    }
    requests.insert_job(machine, KIND, name, description)
    return description


def transition(status: str, message: str, now: float) -> Document:
    """Return the entry of SecondaryStatusTransitions for a status that begins."""
    return {"Status": status, "StartTime": now, "StatusMessage": message}


def enter(description: Document, status: str, message: str) -> Document:
    """Return the changes to a description when its job enters a secondary status."""
    now = time.time()
    *before, last = description["SecondaryStatusTransitions"]
    history = [*before, {**last, "EndTime": now}, transition(status, message, now)]
    return {"SecondaryStatus": status, "SecondaryStatusTransitions": history, "LastModifiedTime": now}


def run(machine: Machine, name: str, stop: Stop, *, cpus: int | None = None) -> Document:
    """Run a created job to its end and return its description; a failure is in there, and never raised.

    `cpus` is how many CPUs it may use, all if None. A model is uploaded of a job that completes, and of one that is
    stopped or runs too long, if it has left one; never of one that fails.
    """
    description = machine.database.update(KIND, name, TrainingStartTime=time.time())
    end: Document = {"SecondaryStatus": "Failed", "FailureReason": "InternalServerError: see the error output."}
    try:
        with job_tree(machine, KIND, name) as tree:
            description = note(machine, description, "Downloading", "Downloading input data")
            prepare(machine, tree, description)
            restore_checkpoints(machine, tree, description)
            container = container_of(machine, tree, description, log_file(machine, KIND, name), cpus=cpus)
            description = note(machine, description, "Training", "Training image download completed.")
            ended = machine.host.run(container, stop)
            end = metrics_of(machine, description)
            description = note(machine, description, "Uploading", "Uploading generated training model")
            end |= conclude(machine, tree, description, ended)
    except JobFailure as error:
        end = {**end, "SecondaryStatus": "Failed", "FailureReason": str(error)}
    finally:
        description = finish(machine, description, end)
    return description


def note(machine: Machine, description: Document, status: str, message: str) -> Document:
    """Write down that a job entered a secondary status."""
    return machine.database.update(KIND, description["TrainingJobName"], **enter(description, status, message))


def metrics_of(machine: Machine, description: Document) -> Document:
    """Return the part of a description that its log gives."""
    algorithm = description["AlgorithmSpecification"]
    log = log_file(machine, KIND, description["TrainingJobName"])
    xgboost = requests.check_image(algorithm["TrainingImage"], "TrainingImage") == "xgboost"
    found = final_metrics(log, algorithm.get("MetricDefinitions", []), xgboost=xgboost)
    if not found:
        return {}
    now = time.time()
    return {
        "FinalMetricDataList": [{"MetricName": name, "Value": value, "Timestamp": now} for name, value in found.items()]
    }


def conclude(machine: Machine, tree: Tree, description: Document, ended: Exit) -> Document:
    """Upload what an ended job left, and return what its description gets."""
    log = log_file(machine, KIND, description["TrainingJobName"])
    failure = None
    if ended.ended == "exited" and ended.code:
        # Before anything is added to the log.
        failure = algorithm_error(machine, failure_text(tree, description, log, ended), ended)
    save_checkpoints(machine, tree, description, log)
    if failure:
        raise failure
    upload_artifacts(machine, tree, description, log, partial=ended.ended != "exited")
    statuses = {"exited": "Completed", "stopped": "Stopped", "timed out": "MaxRuntimeExceeded"}
    return {"SecondaryStatus": statuses[ended.ended]}


def finish(machine: Machine, description: Document, end: dict[str, Any]) -> Document:
    """Write down the end of a job."""
    status = end["SecondaryStatus"]
    now = time.time()
    message = end.get("FailureReason", ENDS[status])
    seconds = max(1, round(now - description["TrainingStartTime"]))
    changes = {
        **end,
        **enter(description, status, message),
        "TrainingJobStatus": "Stopped" if status == "MaxRuntimeExceeded" else status,
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
        "TrainingEndTime": now,
    }
    return machine.database.update(KIND, description["TrainingJobName"], **changes)


def recover(machine: Machine, name: str, reason: str) -> Document:
    """Mark a job whose process is gone as failed for a reason, remove what it left, and return its description."""
    remove_tree(job_folder(machine, KIND, name))
    with machine.database.transaction():
        description = machine.database.get(KIND, name) or {}
        if description.get("TrainingJobStatus") != "InProgress":
            return description
        description.setdefault("TrainingStartTime", description["CreationTime"])
        return finish(machine, description, {"SecondaryStatus": "Failed", "FailureReason": reason})
