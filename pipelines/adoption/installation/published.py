"""The project template as an object of the bucket, where Studio and CloudFormation find it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from pipelines.adoption.account import Account
from pipelines.adoption.installation.source import Source

FOLDER = "templates/"
NAME = "commit-to-endpoint"
KEY = f"{FOLDER}{NAME}.yml"
VISIBLE = {"sagemaker:studio-visibility": "true"}
DIGEST = "sha256"
_MISSING = {"404", "NoSuchKey", "NotFound"}


def location(bucket: str) -> str:
    """Return the S3 URI below which the domain looks for templates."""
    return f"s3://{bucket}/{FOLDER}"


def url(account: Account, bucket: str) -> str:
    """Return the address that CloudFormation reads the template from."""
    return f"https://{bucket}.s3.{account.region}.{account.domain_name}/{KEY}"


def digest(account: Account, bucket: str) -> str | None:
    """Return the SHA-256 of the template in the bucket, empty where somebody else put it there; none without one."""
    try:
        found = account.client("s3").head_object(Bucket=bucket, Key=KEY, ExpectedBucketOwner=account.number)
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    return str(found["Metadata"].get(DIGEST, ""))


def tags(account: Account, bucket: str) -> dict[str, str]:
    """Return the tags of the template in the bucket."""
    client: Any = account.client("s3")
    found = client.get_object_tagging(Bucket=bucket, Key=KEY, ExpectedBucketOwner=account.number)
    return {tag["Key"]: tag["Value"] for tag in found["TagSet"]}


def is_current(account: Account, bucket: str, source: Source) -> bool:
    """Whether the bucket has this very template, and Studio shows it."""
    return digest(account, bucket) == source.digest and VISIBLE.items() <= tags(account, bucket).items()


def publish(account: Account, bucket: str, source: Source) -> None:
    """Upload the template, with its tag."""
    account.client("s3").put_object(
        Bucket=bucket,
        Key=KEY,
        Body=source.template,
        ContentType="application/yaml",
        Tagging=urlencode(VISIBLE),
        Metadata={DIGEST: source.digest},
        ExpectedBucketOwner=account.number,
    )
