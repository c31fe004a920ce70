"""Compiling the pipeline in an account of its own, and finding one's way in the definition."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from pipelines.fraud.pipeline import get_pipeline

ROLE = "arn:aws:iam::111122223333:role/pipeline"
BUCKET = "sagemaker-eu-west-1-111122223333"

Json = Any


class Account:
    """An AWS account with a bucket, which notes what is asked of it."""

    def __init__(self) -> None:
        self.session = boto3.Session("AKIA", "secret", region_name="eu-west-1")
        self.client = self.session.client("s3")
        self.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.calls: list[str] = []
        self.session.events.register("before-call.*.*", self._note)

    def _note(self, model: Any, **_: Any) -> None:
        self.calls.append(f"{model.service_model.service_name}:{model.name}")

    def compile(self, **arguments: Any) -> str:
        return str(self.pipeline(**arguments).definition())

    def steps(self, **arguments: Any) -> dict[str, Json]:
        return flat(json.loads(self.compile(**arguments)))

    def pipeline(self, **arguments: Any) -> Any:
        options: dict[str, Any] = {"role": ROLE, "default_bucket": BUCKET, "boto_session": self.session}
        return get_pipeline(**options | arguments)

    def objects(self) -> dict[str, bytes]:
        listed = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {item["Key"]: self.client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read() for item in listed}


@dataclass(frozen=True)
class Compiled:
    """What the first compile in an account gives and does, and what a second one gives and does after it."""

    text: str
    again: str
    objects: Mapping[str, bytes]
    calls: list[str]
    new: str
    new_calls: list[str]


def flat(definition: Json) -> dict[str, Json]:
    """All steps by name, those of branches too."""
    gate = definition["Steps"][-1]["Arguments"]
    return {step["Name"]: step for step in [*definition["Steps"], *gate["IfSteps"], *gate["ElseSteps"]]}


def references(value: Json) -> set[str]:
    """All `Get` paths in a value."""
    if isinstance(value, dict):
        return {value["Get"]} if "Get" in value else set().union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def produced(step: str, output: str) -> Json:
    return {"Get": f"Steps.{step}.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri"}


def inputs(step: Json) -> dict[str, Json]:
    return {item["InputName"]: item["S3Input"] for item in step["Arguments"]["ProcessingInputs"]}


def outputs(step: Json) -> dict[str, Json]:
    return {item["OutputName"]: item["S3Output"] for item in step["Arguments"]["ProcessingOutputConfig"]["Outputs"]}


def own_arguments(step: Json) -> Json:
    return step["Arguments"]["Conditions"] if step["Type"] == "Condition" else step["Arguments"]
