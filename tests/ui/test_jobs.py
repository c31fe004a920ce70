"""What is known of jobs that no run of the workshop has: of another SageMaker, as moto answers for it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipelines.delivery.run import Site
from pipelines.ui.jobs import MOST_FILES, read_job
from tests.local.documents import BUCKET, ROLE, XGBOOST

ARN = "arn:aws:sagemaker:us-east-1:123456789012"


@pytest.fixture
def site() -> Iterator[Site]:
    with mock_aws():
        found = Site(boto3.Session("AKIAEXAMPLE", "secret", region_name="us-east-1"), 1.0, stops_on_interrupt=False)
        found.s3.create_bucket(Bucket=BUCKET)
        yield found


def test_a_transform_job_has_its_data_and_its_model(site: Site) -> None:
    for number in range(MOST_FILES + 1):
        site.s3.put_object(Bucket=BUCKET, Key=f"claims/{number:02}.csv", Body=b"1,2\n")
    site.s3.put_object(Bucket=BUCKET, Key="claims-of-others/a.csv", Body=b"1,2\n")
    source: Any = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/claims"}}
    site.client.create_transform_job(
        TransformJobName="score",
        ModelName="fraud",
        TransformInput={"DataSource": source},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/scores"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2},
    )
    job = read_job(site, "Transform", f"{ARN}:transform-job/score")
    assert job is not None
    (claims,), (scores,) = job.inputs, job.outputs
    assert [(file.name, file.size) for file in claims.files] == [(f"{n:02}.csv", 4) for n in range(MOST_FILES)]
    assert (claims.has_more, claims.place) == (True, "")
    assert (scores.uri, scores.files, scores.has_more) == (f"s3://{BUCKET}/scores", (), False)
    assert job.container == {"model": "fraud", "instance": "2 × ml.m5.large"}


def test_a_model_is_one_file(site: Site) -> None:
    site.s3.put_object(Bucket=BUCKET, Key="models/model.tar.gz", Body=b"model")
    container: Any = {"Image": XGBOOST, "ModelDataUrl": f"s3://{BUCKET}/models/model.tar.gz", "Environment": {"A": "b"}}
    site.client.create_model(ModelName="fraud", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    job = read_job(site, "Model", f"{ARN}:model/fraud")
    assert job is not None
    assert [(file.name, file.size) for file in job.inputs[0].files] == [("model.tar.gz", 5)]
    assert (job.environment, job.container["image"]) == ({"A": "b"}, XGBOOST)
    assert '"ModelName": "fraud"' in job.text


@pytest.mark.parametrize("uri", ["s3://none/models/model.tar.gz", f"s3://{BUCKET}/gone.tar.gz", f"s3://{BUCKET}/gone/"])
def test_data_that_are_gone_are_no_files(site: Site, uri: str) -> None:
    site.client.create_model(
        ModelName="fraud", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": uri}
    )
    job = read_job(site, "Model", f"{ARN}:model/fraud")
    assert job is not None
    assert (job.inputs[0].uri, job.inputs[0].files) == (uri, ())


def test_a_job_that_is_gone_and_a_step_without_one_have_nothing_to_show(site: Site) -> None:
    assert read_job(site, "Transform", f"{ARN}:transform-job/gone") is None
    assert read_job(site, "Model", f"{ARN}:model/gone") is None
    assert read_job(site, "Condition", ARN) is None
