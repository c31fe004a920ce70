"""Transform jobs: models that they can use, requests, and how they are run."""

from textwrap import dedent
from typing import Any

from pipelines.local.containers.stop import Stop
from pipelines.local.jobs import transform
from pipelines.local.jobs.machine import Machine
from pipelines.local.registry import Registry
from tests.local.documents import BUCKET, ROLE, XGBOOST
from tests.local.jobs.job_requests import archive, assert_described, put

Json = dict[str, Any]
IN, OUT = f"s3://{BUCKET}/in/", f"s3://{BUCKET}/out"

# Doubles the first cell of each row, and says in the log how it was called.
DOUBLE = """
    import os

    def model_fn(folder):
        return 2

    def input_fn(body, content_type):
        text = body.decode() if isinstance(body, bytes) else body
        print("got", len(text.splitlines()), content_type, flush=True)
        return [line.split(",") for line in text.splitlines()]

    def predict_fn(rows, factor):
        return [factor * float(row[0]) for row in rows]

    def output_fn(results, accept):
        return "".join(f"{result}\\n" for result in results)
"""


def model(machine: Machine, source: str = DOUBLE, name: str = "model", **environment: str) -> str:
    """Create a model of a script, and return its name."""
    data = put(machine, f"models/{name}/model.tar.gz", archive({"code/inference.py": dedent(source)}))
    container = {
        "Image": XGBOOST,
        "ModelDataUrl": data,
        "Environment": {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "2",
            **environment,
        },
    }
    registry = Registry(machine.database, machine.arn)
    registry.create_model(name, {"ExecutionRoleArn": ROLE, "PrimaryContainer": container})
    return name


def request(uri: str = IN, **more: Any) -> Json:
    """A job that splits CSV by lines; members of its input and output are given as `input_` and `output`."""
    source = {"S3DataType": more.pop("data_type", "S3Prefix"), "S3Uri": uri}
    given = {"ContentType": "text/csv", "SplitType": "Line", **more.pop("input_", {})}
    kept = {"Accept": "text/csv", "AssembleWith": "Line", **more.pop("output", {})}
    return {
        "ModelName": "model",
        "TransformInput": {"DataSource": {"S3DataSource": source}, **given},
        "TransformOutput": {"S3OutputPath": OUT, **kept},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    }


def run(machine: Machine, wish: Json, name: str = "job", stop: Stop | None = None) -> Json:
    """Create and run a job, and check what must always hold."""
    created = transform.create(machine, name, wish)
    described(machine, created)
    description = transform.run(machine, name, stop or Stop())
    described(machine, description)
    assert machine.database.get(transform.KIND, name) == description
    assert not list((machine.root / "jobs").glob("*/*"))
    return description


def described(machine: Machine, description: Json) -> None:
    """Check that a description is one of the service; LastModifiedTime is shown in lists only."""
    shown = {name: value for name, value in description.items() if name != "LastModifiedTime"}
    assert_described(machine, "DescribeTransformJob", shown)


def log(machine: Machine, name: str = "job") -> str:
    return (machine.root / "logs/aws/sagemaker/TransformJobs" / name / "algo-1.log").read_text()
