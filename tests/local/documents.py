"""Small pipeline definitions, and the scripts that their jobs run."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]

BUCKET = "bucket"
ROLE = "arn:aws:iam::000000000000:role/service-role/sagemaker"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"


def shell(
    name: str,
    command: str = "true",
    *,
    outputs: Iterable[str] = (),
    inputs: Mapping[str, Any] | None = None,
    cache: str | None = None,
    **more: Any,
) -> Json:
    """Return a Processing step that runs a shell command; `cache` is its ExpireAfter, and `more` are other members.

    An input named `x` is at /opt/ml/processing/x, an output named `y` is taken from /opt/ml/processing/y.
    """
    arguments: Json = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ["/bin/sh", "-c", command]},
        "RoleArn": ROLE,
    }
    if inputs:
        arguments["ProcessingInputs"] = [
            {
                "InputName": key,
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": f"/opt/ml/processing/{key}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for key, uri in inputs.items()
        ]
    outputs = list(outputs)
    if outputs:
        arguments["ProcessingOutputConfig"] = {"Outputs": [output(name, key) for key in outputs]}
    step: Json = {"Name": name, "Type": "Processing", "Arguments": arguments, **more}
    if cache:
        step["CacheConfig"] = {"Enabled": True, "ExpireAfter": cache}
    return step


def output(step: str, name: str) -> Json:
    """Return an output that goes to a place of its own in each execution, as the SDK makes it by default."""
    place = [f"s3://{BUCKET}/runs", {"Get": "Execution.PipelineExecutionId"}, step, "output", name]
    return {
        "OutputName": name,
        "S3Output": {
            "S3Uri": {"Std:Join": {"On": "/", "Values": place}},
            "LocalPath": f"/opt/ml/processing/{name}",
            "S3UploadMode": "EndOfJob",
        },
    }


def output_of(step: str, name: str) -> Json:
    """Return a reference to where an output of another step is."""
    return {"Get": f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"}


def metrics_file(step: str, name: str = "Metrics", output_name: str = "metrics") -> Json:
    """Return the PropertyFiles of a step that writes metrics.json into an output."""
    return {"PropertyFiles": [{"PropertyFileName": name, "OutputName": output_name, "FilePath": "metrics.json"}]}


def json_get(step: str, path: str, name: str = "Metrics") -> Json:
    """Return an expression that reads a value from a step's property file."""
    return {"Std:JsonGet": {"PropertyFile": {"Get": f"Steps.{step}.PropertyFiles.{name}"}, "Path": path}}


def condition(name: str, *conditions: Json, then: Iterable[Json] = (), otherwise: Iterable[Json] = ()) -> Json:
    """Return a Condition step."""
    arguments = {"Conditions": list(conditions), "IfSteps": list(then), "ElseSteps": list(otherwise)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def compare(kind: str, left: Any, right: Any) -> Json:
    """Return a comparison such as GreaterThan."""
    return {"Type": kind, "LeftValue": left, "RightValue": right}


ALWAYS = compare("Equals", 1, 1)
NEVER = compare("Equals", 1, 2)


def fail(name: str, message: Any = "it was not to be") -> Json:
    """Return a Fail step."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def register(name: str, group: str, model: Any, **more: Any) -> Json:
    """Return a RegisterModel step."""
    arguments: Json = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {
            "Containers": [{"Image": XGBOOST, "ModelDataUrl": model}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments, **more}


def create_model(name: str, model: Any) -> Json:
    """Return a Model step."""
    arguments = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": XGBOOST, "ModelDataUrl": model}}
    return {"Name": name, "Type": "Model", "Arguments": arguments}


def parameter(name: str, kind: str = "String", **more: Any) -> Json:
    """Return a parameter's declaration."""
    return {"Name": name, "Type": kind, **more}


def definition(*steps: Json, parameters: Iterable[Json] = ()) -> str:
    """Return the text of a definition."""
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": list(parameters), "Steps": list(steps)})
