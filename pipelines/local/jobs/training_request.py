"""What a CreateTrainingJob request may ask for on this machine."""

import re
from typing import Any

from pipelines.local.containers import opt_ml
from pipelines.local.containers.container import OPT_ML
from pipelines.local.containers.toolkit import decode
from pipelines.local.database import Document
from pipelines.local.errors import ValidationError
from pipelines.local.jobs import requests

DEFAULT_LIMIT_SECONDS = 24 * 3600
ONLY = {"CompressionType": "None", "RecordWrapperType": "None"}
DATA_TYPES = ("S3Prefix", "ManifestFile")
PIPE = "Pipe"


def check(request: Document) -> None:
    """Refuse what the service would refuse beyond its model, and what this machine cannot do."""
    algorithm = request.get("AlgorithmSpecification", {})
    runtime = requests.check_image(algorithm.get("TrainingImage"), "AlgorithmSpecification.TrainingImage")
    check_instances(request.get("ResourceConfig", {}))
    if algorithm["TrainingInputMode"] == PIPE:
        raise requests.refuse("AlgorithmSpecification.TrainingInputMode", PIPE, "'File' or 'FastFile'")
    if runtime != "xgboost" and not has_program(request):
        raise ValidationError(
            "HyperParameters has no 'sagemaker_program'; this image has no algorithm of its own: name a script there "
            "and its archive in 'sagemaker_submit_directory', or set AlgorithmSpecification.ContainerEntrypoint."
        )
    check_channels(request.get("InputDataConfig", []))
    check_metrics(algorithm.get("MetricDefinitions", []))
    requests.check_uri(request["OutputDataConfig"]["S3OutputPath"], "OutputDataConfig.S3OutputPath")
    check_checkpoints(request.get("CheckpointConfig"))


def has_program(request: Document) -> bool:
    """Tell whether a request brings a program, and does not ask for the image's own algorithm."""
    program = request.get("HyperParameters", {}).get("sagemaker_program")
    if program and decode(program):
        return True
    entrypoint = request["AlgorithmSpecification"].get("ContainerEntrypoint")
    return bool(entrypoint or request.get("Environment", {}).get("SAGEMAKER_PROGRAM"))


def check_instances(resources: dict[str, Any]) -> None:
    """Refuse more than one instance."""
    if not resources:
        raise ValidationError("ResourceConfig is missing; give InstanceType, InstanceCount 1 and VolumeSizeInGB.")
    groups = resources.get("InstanceGroups", [])
    count = sum(group["InstanceCount"] for group in groups) if groups else resources.get("InstanceCount", 1)
    requests.check_instance_count(count, "ResourceConfig.InstanceCount")


def instance_type_of(request: Document) -> str:
    """Return the type of a job's one instance."""
    resources = request["ResourceConfig"]
    groups = resources.get("InstanceGroups") or [resources]
    return str(groups[0].get("InstanceType", "ml.m5.xlarge"))


def check_channels(channels: list[dict[str, Any]]) -> None:
    """Refuse channels that cannot be copied here."""
    names = [channel["ChannelName"] for channel in channels]
    for name, channel in zip(names, channels, strict=True):
        member = f"InputDataConfig['{name}']"
        if names.count(name) > 1:
            raise ValidationError(f"{member} is there more than once; channel names must be unique.")
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise requests.refuse(f"{member}.DataSource", next(iter(channel["DataSource"]), None), "S3DataSource")
        if source["S3DataType"] not in DATA_TYPES:
            raise requests.refuse(f"{member}.S3DataType", source["S3DataType"], " or ".join(map(repr, DATA_TYPES)))
        requests.check_uri(source["S3Uri"], f"{member}.DataSource.S3DataSource.S3Uri")
        if channel.get("InputMode") == PIPE:
            raise requests.refuse(f"{member}.InputMode", PIPE, "'File' or 'FastFile'")
        for option, only in ONLY.items():
            if channel.get(option, only) != only:
                raise requests.refuse(f"{member}.{option}", channel[option], f"'{only}'")


def check_metrics(definitions: list[dict[str, str]]) -> None:
    """Refuse metric definitions whose regular expressions are none."""
    for definition in definitions:
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            member = f"AlgorithmSpecification.MetricDefinitions['{definition['Name']}'].Regex"
            raise ValidationError(f"{member} is not a regular expression: {error}") from error


def check_checkpoints(config: dict[str, str] | None) -> None:
    """Refuse checkpoints outside of S3 and /opt/ml."""
    if config is None:
        return
    requests.check_uri(config["S3Uri"], "CheckpointConfig.S3Uri")
    try:
        opt_ml.require_below(checkpoint_folder(config), OPT_ML)
    except ValueError as error:
        raise ValidationError(f"CheckpointConfig.LocalPath: {error}; leave it out for {opt_ml.CHECKPOINTS}.") from error


def checkpoint_folder(config: dict[str, str]) -> str:
    """Return where a job keeps its checkpoints."""
    return config.get("LocalPath", opt_ml.CHECKPOINTS)


def limit_of(request: Document) -> int:
    """Return how many seconds a job may run."""
    seconds: int = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_LIMIT_SECONDS)
    return seconds
