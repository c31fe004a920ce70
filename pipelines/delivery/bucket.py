"""The bucket that SageMaker uses when none is named: sagemaker-<region>-<account>."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    import boto3


def default_bucket(session: boto3.Session) -> str:
    """Return the name of the account's default bucket, which is made when it is missing."""
    account = session.client("sts").get_caller_identity()["Account"]
    name = f"sagemaker-{session.region_name}-{account}"
    client = session.client("s3")
    try:
        client.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        client.create_bucket(Bucket=name, **_location(session.region_name))
    return name


def _location(region: str) -> dict[str, Any]:
    # S3 refuses its own default region as a constraint.
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
