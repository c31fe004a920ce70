"""The SDK's Transformer, on its own and as a step of its pipelines."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import pipelines.local
from pipelines.local.boto_session import LocalSession
from tests.local.documents import BUCKET, ROLE, XGBOOST
from tests.local.jobs.job_requests import archive
from tests.local.jobs.transforms import DOUBLE

QUIET = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
MODEL = f"s3://{BUCKET}/model.tar.gz"
PROGRAM = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}


@pytest.fixture
def boto(tmp_path: Path) -> Iterator[LocalSession]:
    made = pipelines.local.session(tmp_path / "root", region="us-east-1")
    client: Any = made.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"id-1,1\nid-2,2\n")
    client.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive({"code/inference.py": dedent(DOUBLE)}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield made
    made.close()


def transformer(session: Any, model: Any, **more: Any) -> Any:
    from sagemaker.core.transformer import Transformer  # noqa: PLC0415 -- it takes seconds, and warns

    return Transformer(
        model_name=model,
        instance_count=1,
        instance_type="ml.m5.large",
        strategy="SingleRecord",
        assemble_with="Line",
        accept="text/csv",
        sagemaker_session=session,
        **more,
    )


def transform(made: Any, **more: Any) -> Any:
    return made.transform(
        f"s3://{BUCKET}/in/",
        content_type="text/csv",
        split_type="Line",
        input_filter="$[1:]",
        join_source="Input",
        output_filter="$[0,-1]",
        **more,
    )


def result(boto: LocalSession, uri: str) -> bytes:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    client: Any = boto.client("s3")
    content: bytes = client.get_object(Bucket=bucket, Key=f"{prefix}/a.csv.out")["Body"].read()
    return content


def test_a_transformer_runs_a_job_and_waits_for_it(boto: LocalSession) -> None:
    from sagemaker.core.helper.session_helper import Session  # noqa: PLC0415 -- as above

    container = {"Image": XGBOOST, "ModelDataUrl": MODEL, "Environment": PROGRAM}
    client: Any = boto.client("sagemaker")
    client.create_model(ModelName="model", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    made = transformer(Session(boto_session=boto, sagemaker_config=QUIET), "model", base_transform_job_name="score")

    transform(made, logs=False)

    assert made.latest_transform_job.transform_job_status == "Completed"
    assert result(boto, made.output_path) == b"id-1,2.0\nid-2,4.0\n"


def test_a_transform_step_runs_as_the_sdk_made_it(boto: LocalSession) -> None:
    from sagemaker.core.workflow.pipeline_context import PipelineSession  # noqa: PLC0415 -- as above
    from sagemaker.mlops.workflow.model_step import ModelStep  # noqa: PLC0415
    from sagemaker.mlops.workflow.pipeline import Pipeline  # noqa: PLC0415
    from sagemaker.mlops.workflow.steps import TransformStep  # noqa: PLC0415
    from sagemaker.serve import ModelBuilder  # noqa: PLC0415

    session = PipelineSession(boto_session=boto, sagemaker_config=QUIET)
    builder = ModelBuilder(
        s3_model_data_url=MODEL, image_uri=XGBOOST, sagemaker_session=session, role_arn=ROLE, env_vars=PROGRAM
    )
    create = ModelStep(name="Create", step_args=builder.build())
    score = TransformStep(name="Score", step_args=transform(transformer(session, create.properties.ModelName)))
    pipeline = Pipeline(name="Batch", steps=[create, score], sagemaker_session=session)
    pipeline.upsert(role_arn=ROLE)

    execution = pipeline.start()
    execution.wait(delay=1, max_attempts=60)

    (step,) = [step for step in execution.list_steps() if step["StepName"] == "Score"]
    assert step["StepStatus"] == "Succeeded"
    identity = execution.arn.rpartition("/")[2]
    bucket = session.default_bucket()
    assert result(boto, f"s3://{bucket}/Batch/{identity}/Score") == b"id-1,2.0\nid-2,4.0\n"
