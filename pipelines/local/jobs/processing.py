"""Processing jobs: from a CreateProcessingJob request to its description."""

import time
from typing import Any

from pipelines.local.containers import opt_ml
from pipelines.local.containers.container import OPT_ML, Container, Exit
from pipelines.local.containers.files import irregular, remove_tree
from pipelines.local.containers.images import library_of
from pipelines.local.containers.opt_ml import Tree
from pipelines.local.containers.stop import Stop
from pipelines.local.database import Document
from pipelines.local.errors import ValidationError
from pipelines.local.jobs import requests
from pipelines.local.jobs.inputs import download
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.results import note_left_out
from pipelines.local.jobs.workspace import (
    JobFailure,
    algorithm_error,
    job_folder,
    job_tree,
    last_line,
    log_file,
    note,
)

KIND = "processing-job"
OPERATION = "CreateProcessingJob"
DEFAULT_LIMIT_SECONDS = 24 * 3600
CONFIG_MEMBERS = {
    "ProcessingJobArn",
    "ProcessingJobName",
    "AppSpecification",
    "Environment",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "RoleArn",
    "StoppingCondition",
}
LIMIT_EXCEEDED = (
    "ClientError: The job ran longer than StoppingCondition.MaxRuntimeInSeconds ({limit} s) and was stopped."
)


def create(machine: Machine, name: str, request: Document) -> Document:
    """Check a request, which has no ProcessingJobName, and write down the job as InProgress.

    Raises:
        ServiceError: the request is not allowed, or the name is taken; nothing was written.
    """
    requests.check_request(machine, OPERATION, {**request, "ProcessingJobName": name})
    check(request)
    now = time.time()
    description = {
        **requests.described(machine, "DescribeProcessingJob", request),
        "ProcessingJobName": name,
        "ProcessingJobArn": machine.arn(f"{KIND}/{name}"),
        "ProcessingJobStatus": "InProgress",
        "CreationTime": now,
        "LastModifiedTime": now,
    }
    requests.insert_job(machine, KIND, name, description)
    return description


def check(request: Document) -> None:
    """Refuse what the service would refuse beyond its model, and what this machine cannot do."""
    cluster = request["ProcessingResources"]["ClusterConfig"]
    requests.check_instance_count(cluster["InstanceCount"], "ProcessingResources.ClusterConfig.InstanceCount")
    application = request["AppSpecification"]
    requests.check_image(application["ImageUri"], "AppSpecification.ImageUri")
    if not application.get("ContainerEntrypoint"):
        raise ValidationError(
            "AppSpecification.ContainerEntrypoint is missing; the images that this machine runs have no program of "
            'their own for processing: set it, for example to ["python3", "/opt/ml/processing/input/code/<script>.py"].'
        )
    inputs, outputs = request.get("ProcessingInputs", []), s3_outputs(request, managed=True)
    check_names([item["InputName"] for item in inputs], "ProcessingInputs")
    check_names([item["OutputName"] for item in outputs], "ProcessingOutputConfig.Outputs")
    for item in inputs:
        check_input(item, f"ProcessingInputs['{item['InputName']}']")
    for item in outputs:
        check_output(item, f"ProcessingOutputConfig.Outputs['{item['OutputName']}']")


def check_names(names: list[str], member: str) -> None:
    """Refuse a name that is there twice."""
    for name in names:
        if names.count(name) > 1:
            raise ValidationError(f"{member} has the name '{name}' more than once; names must be unique.")


def check_input(item: dict[str, Any], member: str) -> None:
    """Refuse an input that cannot be copied here."""
    if item.get("AppManaged"):
        return
    if "S3Input" not in item:
        raise requests.refuse(member, next(iter(item.keys() - {"InputName"}), None), "S3Input")
    source = item["S3Input"]
    requests.check_uri(source["S3Uri"], f"{member}.S3Input.S3Uri")
    for option, only in (("S3InputMode", "File"), ("S3CompressionType", "None")):
        if source.get(option, only) != only:
            raise requests.refuse(f"{member}.S3Input.{option}", source[option], f"'{only}'")
    check_local_path(source.get("LocalPath"), f"{member}.S3Input.LocalPath")


def check_output(item: dict[str, Any], member: str) -> None:
    """Refuse an output that cannot be uploaded here."""
    if item.get("AppManaged"):
        return
    if "S3Output" not in item:
        raise requests.refuse(member, next(iter(item.keys() - {"OutputName"}), None), "S3Output")
    requests.check_uri(item["S3Output"]["S3Uri"], f"{member}.S3Output.S3Uri")
    check_local_path(item["S3Output"].get("LocalPath"), f"{member}.S3Output.LocalPath")


def check_local_path(path: str | None, member: str) -> None:
    """Refuse a path outside of /opt/ml/processing."""
    try:
        opt_ml.require_below(path or "", opt_ml.PROCESSING)
    except ValueError as error:
        raise ValidationError(f"{member}: {error}; LocalPath must begin with {opt_ml.PROCESSING}/.") from error


def s3_outputs(request: Document, *, managed: bool = False) -> list[dict[str, Any]]:
    """Return a request's outputs, those that the application uploads itself only if asked for."""
    outputs: list[dict[str, Any]] = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return [item for item in outputs if managed or not item.get("AppManaged")]


def run(machine: Machine, name: str, stop: Stop) -> Document:
    """Run a created job to its end and return its description; a failure is in there, and never raised.

    Outputs are uploaded at the end, also those that are to be so continuously. Of a job that fails, only the latter.
    """
    description = machine.database.update(KIND, name, ProcessingStartTime=time.time())
    end: Document = {"ProcessingJobStatus": "Failed", "FailureReason": "InternalServerError: see the error output."}
    try:
        with job_tree(machine, KIND, name) as tree:
            prepare(machine, tree, description)
            ended = machine.host.run(container_of(machine, tree, description), stop)
            end = conclude(machine, tree, description, ended)
    except JobFailure as error:
        end = {"ProcessingJobStatus": "Failed", "FailureReason": str(error)}
    finally:
        now = time.time()
        description = machine.database.update(KIND, name, **end, ProcessingEndTime=now, LastModifiedTime=now)
    return description


def prepare(machine: Machine, tree: Tree, description: Document) -> None:
    """Lay out the tree and copy the inputs."""
    cluster = description["ProcessingResources"]["ClusterConfig"]
    config = {name: value for name, value in description.items() if name in CONFIG_MEMBERS}
    tree.write_json(f"{OPT_ML}/config/processingjobconfig.json", config)
    tree.write_json(f"{OPT_ML}/config/resourceconfig.json", opt_ml.resource_config(cluster["InstanceType"]))
    tree.make(opt_ml.OUTPUT, f"{opt_ml.PROCESSING}/input", f"{opt_ml.PROCESSING}/output")
    for item in description.get("ProcessingInputs", []):
        if not item.get("AppManaged"):
            source = item["S3Input"]
            folder = tree.path(source["LocalPath"])
            download(machine.store, f"input '{item['InputName']}'", source["S3Uri"], source["S3DataType"], folder)
    tree.make(*(item["S3Output"]["LocalPath"] for item in s3_outputs(description)))


def limit_of(description: Document) -> int:
    """Return how many seconds a job may run."""
    seconds: int = description.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_LIMIT_SECONDS)
    return seconds


def container_of(machine: Machine, tree: Tree, description: Document) -> Container:
    """Return the container of a job."""
    application = description["AppSpecification"]
    return Container(
        entrypoint=(*application["ContainerEntrypoint"], *application.get("ContainerArguments", [])),
        tree=tree.folder,
        log=log_file(machine, KIND, description["ProcessingJobName"]),
        environment={"AWS_REGION": machine.region, **machine.environment(), **description.get("Environment", {})},
        time_limit=limit_of(description),
        library=library_of(application["ImageUri"]),
    )


def conclude(machine: Machine, tree: Tree, description: Document, ended: Exit) -> Document:
    """Upload the outputs of an ended job, and return what its description gets."""
    message = tree.message()
    end = {"ExitMessage": message} if message else {}
    if ended.ended == "stopped":
        return {**end, "ProcessingJobStatus": "Stopped"}
    if ended.ended == "timed out":
        # The service's status is not documented; its SDK says that Stopped "could mean the job timed out".
        return {
            **end,
            "ProcessingJobStatus": "Stopped",
            "FailureReason": LIMIT_EXCEEDED.format(limit=limit_of(description)),
        }
    if ended.code:
        log = log_file(machine, KIND, description["ProcessingJobName"])
        failure = algorithm_error(machine, (message or last_line(log)).strip(), ended)
        upload(machine, tree, description, only="Continuous")
        return {**end, "ProcessingJobStatus": "Failed", "FailureReason": str(failure)}
    upload(machine, tree, description)
    return {**end, "ProcessingJobStatus": "Completed"}


def upload(machine: Machine, tree: Tree, description: Document, *, only: str | None = None) -> None:
    """Upload outputs, all or those of one upload mode.

    Raises:
        NotAFolder: one was replaced by something else; none is uploaded then.
    """
    log = log_file(machine, KIND, description["ProcessingJobName"])
    chosen = [item for item in s3_outputs(description) if only in (None, item["S3Output"]["S3UploadMode"])]
    folders = [tree.left(item["S3Output"]["LocalPath"]) for item in chosen]
    for item, folder in zip(chosen, folders, strict=True):
        if folder:
            note_left_out(log, item["S3Output"]["LocalPath"], folder, list(irregular(folder)))
        if not folder or not machine.store.upload(folder, item["S3Output"]["S3Uri"]):
            note(log, f"output '{item['OutputName']}' is empty: nothing was uploaded")


def recover(machine: Machine, name: str, reason: str) -> Document:
    """Mark a job whose process is gone as failed for a reason, remove what it left, and return its description."""
    remove_tree(job_folder(machine, KIND, name))
    with machine.database.transaction():
        description = machine.database.get(KIND, name) or {}
        if description.get("ProcessingJobStatus") != "InProgress":
            return description
        end = {"ProcessingJobStatus": "Failed", "FailureReason": reason}
        return machine.database.update(KIND, name, **end, ProcessingEndTime=time.time(), LastModifiedTime=time.time())
