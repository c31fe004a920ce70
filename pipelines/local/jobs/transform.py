"""Transform jobs: from a CreateTransformJob request to its description."""

import threading
import time
from pathlib import Path

from pipelines.local.containers.files import remove_tree
from pipelines.local.containers.stop import Stop
from pipelines.local.database import Document
from pipelines.local.jobs import requests
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.transform_client import ModelClient
from pipelines.local.jobs.transform_objects import Source, Transformation, find_sources
from pipelines.local.jobs.transform_request import (
    batching_of,
    check,
    concurrency_of,
    environment_of,
    retries_of,
    timeout_of,
)
from pipelines.local.jobs.workspace import REASON_CHARACTERS, JobFailure, job_folder, job_tree, log_file, note
from pipelines.local.serving.model_server import ModelServer, ServingError
from pipelines.local.serving.models import hosted_model

KIND = "transform-job"
OPERATION = "CreateTransformJob"
# How long a model may load; the service does not say how long it waits.
START_SECONDS = 600.0


def create(machine: Machine, name: str, request: Document) -> Document:
    """Check a request, which has no TransformJobName, and write down the job as InProgress.

    Raises:
        ServiceError: the request is not allowed, there is no such model, or the name is taken; nothing was written.
    """
    requests.check_request(machine, OPERATION, {**request, "TransformJobName": name})
    check(request)
    requests.check_image(hosted_model(machine.database, request["ModelName"]).image, "The model's image")
    now = time.time()
    description = {
        **requests.described(machine, "DescribeTransformJob", request),
        "TransformJobName": name,
        "TransformJobArn": machine.arn(f"{KIND}/{name}"),
        "TransformJobStatus": "InProgress",
        "CreationTime": now,
        "LastModifiedTime": now,
    }
    requests.insert_job(machine, KIND, name, description)
    return description


def run(machine: Machine, name: str, stop: Stop) -> Document:
    """Run a created job to its end and return its description; a failure is in there, and never raised.

    The results appear at the end: of a stopped job none, of a failed one those of the objects that did not fail.
    """
    description = machine.database.update(KIND, name, TransformStartTime=time.time())
    end: Document = {"TransformJobStatus": "Failed", "FailureReason": "InternalServerError: see the error output."}
    try:
        with job_tree(machine, KIND, name):
            end = transform(machine, description, stop)
    except JobFailure as error:
        end = {"TransformJobStatus": "Failed", "FailureReason": str(error)[:REASON_CHARACTERS]}
    finally:
        now = time.time()
        description = machine.database.update(KIND, name, **end, TransformEndTime=now, LastModifiedTime=now)
    return description


def transform(machine: Machine, description: Document, stop: Stop) -> Document:
    """Send the objects through the model, upload the results, and return what the description gets.

    Raises:
        JobFailure: the model cannot be served, or an object failed; the results of the others are uploaded.
    """
    name = description["TransformJobName"]
    results = job_folder(machine, KIND, name) / "results"
    results.mkdir()
    given = description["TransformInput"]["DataSource"]["S3DataSource"]
    sources = find_sources(machine.store, given["S3Uri"], given["S3DataType"])
    server = server_of(machine, description)
    try:
        # A stopped job does not wait for a model that takes long to load.
        with stop.on_set(threading.Thread(target=server.stop, name=f"stop {name}").start):
            server.start(START_SECONDS)
        send(machine, description, server, sources, results, stop)
    except ServingError as error:
        if not stop.is_set():
            raise JobFailure(f"AlgorithmError: {error}") from error
    finally:
        server.stop()
    if stop.is_set():
        return {"TransformJobStatus": "Stopped"}
    machine.store.upload(results, description["TransformOutput"]["S3OutputPath"])
    require_success(sources, log_file(machine, KIND, name))
    return {"TransformJobStatus": "Completed"}


def server_of(machine: Machine, description: Document) -> ModelServer:
    """Return the server of a job's model, in the job's folder."""
    name = description["TransformJobName"]
    return ModelServer(
        machine.store,
        machine.host,
        hosted_model(machine.database, description["ModelName"]),
        folder=job_folder(machine, KIND, name) / "model",
        log=log_file(machine, KIND, name),
        environment={"AWS_REGION": machine.region, **machine.environment(), **environment_of(description)},
    )


def send(
    machine: Machine, description: Document, server: ModelServer, sources: list[Source], results: Path, stop: Stop
) -> None:
    """Send objects to a server that runs, and keep the results in a folder."""
    types = {
        "Content-Type": description["TransformInput"].get("ContentType"),
        "Accept": description["TransformOutput"].get("Accept"),
    }
    client = ModelClient(
        server.socket,
        {name: value for name, value in types.items() if value},
        timeout=timeout_of(description),
        retries=retries_of(description),
        stop=stop,
    )
    with stop.on_set(client.close):
        wishes = client.execution_parameters()
        transformation = Transformation(
            machine.store,
            client.invoke,
            batching_of(description, wishes),
            concurrency_of(description, wishes),
            assemble_lines=description["TransformOutput"].get("AssembleWith") == "Line",
            folder=results,
            stop=stop,
        )
        transformation.run(sources)


def require_success(sources: list[Source], log: Path) -> None:
    """Name each object that failed in the log.

    Raises:
        JobFailure: one failed.
    """
    failures = [source.failure for source in sources if source.failure]
    for failure in failures:
        note(log, failure)
    if failures:
        more = f"; {len(failures)} of {len(sources)} objects failed: see the log" if len(sources) > 1 else ""
        raise JobFailure(f"{failures[0]}{more}")


def recover(machine: Machine, name: str, reason: str) -> Document:
    """Mark a job whose process is gone as failed for a reason, remove what it left, and return its description."""
    remove_tree(job_folder(machine, KIND, name))
    with machine.database.transaction():
        description = machine.database.get(KIND, name) or {}
        if description.get("TransformJobStatus") != "InProgress":
            return description
        end = {"TransformJobStatus": "Failed", "FailureReason": reason}
        return machine.database.update(KIND, name, **end, TransformEndTime=time.time(), LastModifiedTime=time.time())
