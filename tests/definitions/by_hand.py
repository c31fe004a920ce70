"""Small definitions, written by hand, for tests that change one thing at a time."""

import json
from typing import Any

ROLE = "arn:aws:iam::111122223333:role/SageMakerPipelines"
IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:3.2-0"


def definition(*steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None, **members: Any) -> str:
    """Write a definition of these steps."""
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters or [], "Steps": steps, **members})


def get(reference: str) -> dict[str, Any]:
    """Write a reference."""
    return {"Get": reference}


def join(*values: Any, on: str = "") -> dict[str, Any]:
    """Write a Join."""
    return {"Std:Join": {"On": on, "Values": list(values)}}


def json_get(step: str, file: str, path: str) -> dict[str, Any]:
    """Write a JsonGet from a property file."""
    return {"Std:JsonGet": {"PropertyFile": get(f"Steps.{step}.PropertyFiles.{file}"), "Path": path}}


def training(name: str, *, arguments: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """Write a training step; `arguments` are added to those it needs."""
    base = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    return {"Name": name, "Type": "Training", "Arguments": {**base, **(arguments or {})}, **members}


def processing(name: str, *, arguments: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """Write a processing step with one output, `report`."""
    output = {"S3Uri": "s3://bucket/report", "LocalPath": "/opt/ml/processing/report", "S3UploadMode": "EndOfJob"}
    base = {
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
        },
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "report", "S3Output": output}]},
        "RoleArn": ROLE,
    }
    return {"Name": name, "Type": "Processing", "Arguments": {**base, **(arguments or {})}, **members}


def condition(
    name: str,
    *conditions: dict[str, Any],
    if_steps: list[dict[str, Any]] | None = None,
    else_steps: list[dict[str, Any]] | None = None,
    **members: Any,
) -> dict[str, Any]:
    """Write a condition step."""
    arguments = {"Conditions": list(conditions), "IfSteps": if_steps or [], "ElseSteps": else_steps or []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **members}


def fail(name: str, message: Any = "", **members: Any) -> dict[str, Any]:
    """Write a Fail step."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **members}


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    """Write a condition on two values."""
    return {"Type": kind, "LeftValue": left, "RightValue": right}
