"""Requests for processing and training jobs, and what is read of their results."""

import io
import json
import tarfile
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import botocore.parsers
import pytest
from botocore.validate import ParamValidator

from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.workspace import NOTE
from tests.local.documents import BUCKET, ROLE, SKLEARN, XGBOOST

Json = dict[str, Any]

both_kinds = pytest.mark.parametrize("machine", ["namespaces", "no namespaces"], indirect=True)
CODE = "/opt/ml/processing/input/code"


def put(machine: Machine, key: str, content: str | bytes) -> str:
    """Store an object, and return its URI."""
    if not machine.store.has_bucket(BUCKET):
        machine.store.create_bucket(BUCKET)
    machine.store.put(BUCKET, key, content.encode() if isinstance(content, str) else content)
    return f"s3://{BUCKET}/{key}"


def content(machine: Machine, key: str) -> bytes:
    with machine.store.open(BUCKET, key) as stream:
        return stream.read()


def keys(machine: Machine, prefix: str = "") -> list[str]:
    """Return the names of all objects, so far as there are any."""
    if not machine.store.has_bucket(BUCKET):
        return []
    return [item.key for item in machine.store.list(BUCKET, prefix)]


def printed(log: str) -> str:
    """Return what a job itself printed."""
    return "".join(line for line in log.splitlines(keepends=True) if not line.startswith(NOTE))


def notes(log: str) -> list[str]:
    """Return what this machine has added to a log."""
    return [line.removeprefix(NOTE) for line in log.splitlines() if line.startswith(NOTE)]


def s3_input(name: str, uri: str, path: str, **more: Any) -> Json:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **more}
    return {"InputName": name, "S3Input": source}


def s3_output(name: str, *, mode: str = "EndOfJob") -> Json:
    output = {"S3Uri": f"s3://{BUCKET}/out/{name}", "LocalPath": f"/opt/ml/processing/{name}", "S3UploadMode": mode}
    return {"OutputName": name, "S3Output": output}


def processing(machine: Machine, source: str, *arguments: str, **more: Any) -> Json:
    """A processing job that runs a script; it has one output, `result`."""
    uri = put(machine, "code/job.py", dedent(source))
    request: Json = {
        "ProcessingInputs": [s3_input("code", uri, CODE)],
        "ProcessingOutputConfig": {"Outputs": [s3_output("result")]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", f"{CODE}/job.py"]},
        "RoleArn": ROLE,
    }
    if arguments:
        request["AppSpecification"]["ContainerArguments"] = list(arguments)
    return {**request, **more}


def archive(files: Mapping[str, str]) -> bytes:
    """A .tar.gz of some texts."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def channel(name: str, uri: str, **more: Any) -> Json:
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
        **more,
    }


def training(**more: Any) -> Json:
    """A training job of the image's own algorithm, so far without any channel."""
    return {
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **more,
    }


def script(machine: Machine, source: str, *, files: Mapping[str, str] | None = None, **more: Any) -> Json:
    """A training job in script mode."""
    uri = put(machine, "code/sourcedir.tar.gz", archive({"train.py": dedent(source), **(files or {})}))
    hyperparameters = {"sagemaker_program": "train.py", "sagemaker_submit_directory": uri}
    return training(HyperParameters={**hyperparameters, **more.pop("HyperParameters", {})}, **more)


def assert_described(machine: Machine, operation: str, description: Json) -> None:
    """Check that botocore reads all of a description, and finds what the service promises."""
    shape = machine.model.operation_model(operation).output_shape
    assert shape is not None
    response = {"status_code": 200, "headers": {}, "body": json.dumps(description).encode()}
    parsed = botocore.parsers.create_parser("json").parse(response, shape)
    del parsed["ResponseMetadata"]
    assert parsed.keys() == description.keys()
    assert ParamValidator().validate(parsed, shape).generate_report() == ""
