"""The SageMaker SDK, set up so that it makes definitions without an AWS account."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws
from sagemaker.core.workflow.pipeline_context import PipelineSession

REGION = "us-west-2"
BUCKET = "sagemaker-us-west-2-111122223333"
ROLE = "arn:aws:iam::111122223333:role/SageMakerPipelines"
XGBOOST_IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:3.2-0"
SKLEARN_IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.9-0"

NO_TELEMETRY = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


@contextmanager
def pipeline_session() -> Iterator[Any]:
    """Give a PipelineSession whose AWS is moto."""
    with mock_aws(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        boto_session = boto3.Session(region_name=REGION)
        boto_session.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
        yield PipelineSession(boto_session=boto_session, default_bucket=BUCKET, sagemaker_config=NO_TELEMETRY)
