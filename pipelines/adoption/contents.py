"""What a versioned bucket of this account holds, in all its versions, and an end to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from pipelines.adoption.account import Account
from pipelines.delivery.errors import DeliveryError

ABSENT = frozenset({"NoSuchBucket", "404"})
# What DeleteObjects takes.
_BATCH = 1000


def is_absent(account: Account, bucket: str) -> bool:
    """Whether S3 says that there is no such bucket; what it does not let one see is told when it is looked into."""
    try:
        account.client("s3").list_object_versions(Bucket=bucket, MaxKeys=1, ExpectedBucketOwner=account.number)
    except ClientError as error:
        return error.response["Error"].get("Code") in ABSENT
    return False


def versions(account: Account, bucket: str, prefix: str = "") -> Iterator[Any]:
    """Yield versions and delete markers; none where there is no such bucket."""
    for page in _pages(account, bucket, Prefix=prefix):
        yield from (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))


def top_prefixes(account: Account, bucket: str) -> Iterator[str]:
    """Yield the first parts of all keys that have several."""
    for page in _pages(account, bucket, Delimiter="/"):
        yield from (each["Prefix"] for each in page.get("CommonPrefixes", ()))


def delete_all(account: Account, bucket: str, prefix: str = "") -> None:
    """Delete every version of every object below a prefix."""
    # Listed to the end before, for a list that goes on after what is deleted is not promised to be whole.
    found = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions(account, bucket, prefix)]
    for start in range(0, len(found), _BATCH):
        answer = account.client("s3").delete_objects(
            Bucket=bucket,
            Delete={"Objects": found[start : start + _BATCH], "Quiet": True},
            ExpectedBucketOwner=account.number,
        )
        for error in answer.get("Errors", ()):
            raise DeliveryError(f"s3://{bucket}/{error['Key']} was not deleted: {error['Code']}: {error['Message']}")


def _pages(account: Account, bucket: str, **request: str) -> Iterator[Any]:
    paginator = account.client("s3").get_paginator("list_object_versions")
    try:
        yield from paginator.paginate(Bucket=bucket, ExpectedBucketOwner=account.number, **request)
    except ClientError as error:
        if error.response["Error"].get("Code") not in ABSENT:
            raise
