"""Transform jobs through the API, without a pipeline around them."""

from textwrap import dedent
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import Client
from tests.local.documents import BUCKET, ROLE, XGBOOST
from tests.local.jobs.job_requests import archive
from tests.local.jobs.transforms import DOUBLE, request

WAITING = DOUBLE.replace("return 2", "__import__('signal').pause()")


@pytest.fixture
def models(sagemaker: Client, s3: Client) -> None:
    """A model that doubles, and one that never loads."""
    s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"1\n2\n")
    for name, source in (("model", DOUBLE), ("waiting", WAITING)):
        key = f"{name}.tar.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=archive({"code/inference.py": dedent(source)}))
        program = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        container = {"Image": XGBOOST, "ModelDataUrl": f"s3://{BUCKET}/{key}", "Environment": program}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)


def wait_for(sagemaker: Client, name: str, *statuses: str) -> dict[str, Any]:
    while True:
        job: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=name)
        if job["TransformJobStatus"] in statuses:
            return job


@pytest.mark.usefixtures("models")
def test_a_job_runs_and_is_described_and_listed(sagemaker: Client, s3: Client) -> None:
    tags = [{"Key": "team", "Value": "risk"}]
    created = sagemaker.create_transform_job(TransformJobName="one", **request(), Tags=tags)
    sagemaker.create_transform_job(TransformJobName="two", **request(f"s3://{BUCKET}/none"))

    job, failed = wait_for(sagemaker, "one", "Completed", "Failed"), wait_for(sagemaker, "two", "Failed")

    assert created["TransformJobArn"] == "arn:aws:sagemaker:us-east-1:000000000000:transform-job/one"
    assert (job["TransformJobStatus"], job["TransformJobArn"]) == ("Completed", created["TransformJobArn"])
    assert s3.get_object(Bucket=BUCKET, Key="out/a.csv.out")["Body"].read() == b"2.0\n4.0\n"
    assert sagemaker.list_tags(ResourceArn=job["TransformJobArn"])["Tags"] == tags
    listed = sagemaker.list_transform_jobs(StatusEquals="Failed")["TransformJobSummaries"]
    assert [(each["TransformJobName"], each["FailureReason"]) for each in listed] == [("two", failed["FailureReason"])]
    names = [each["TransformJobName"] for each in sagemaker.list_transform_jobs()["TransformJobSummaries"]]
    assert names == ["two", "one"]


@pytest.mark.usefixtures("models")
def test_a_running_job_is_stopped_while_its_model_loads(sagemaker: Client, s3: Client) -> None:
    sagemaker.create_transform_job(TransformJobName="slow", **request(ModelName="waiting"))
    sagemaker.stop_transform_job(TransformJobName="slow")
    assert wait_for(sagemaker, "slow", "Stopped", "Completed", "Failed")["TransformJobStatus"] == "Stopped"
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="out")


def test_a_job_or_a_model_that_is_not_there_is_named(sagemaker: Client) -> None:
    for call in (sagemaker.describe_transform_job, sagemaker.stop_transform_job):
        with pytest.raises(ClientError, match="ghost") as caught:
            call(TransformJobName="ghost")
        assert caught.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.create_transform_job(TransformJobName="one", **request(ModelName="ghost"))
    assert sagemaker.list_transform_jobs()["TransformJobSummaries"] == []
