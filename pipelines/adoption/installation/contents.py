"""All that a versioned bucket holds, and an end to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from pipelines.adoption.account import Account
from pipelines.delivery.errors import DeliveryError


def keys(account: Account, bucket: str) -> set[str]:
    """Return the keys of all versions and delete markers of a bucket; none where there is no such bucket."""
    try:
        return {version["Key"] for page in _versions(account, bucket) for version in page}
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return set()
        raise


def delete_all(account: Account, bucket: str) -> None:
    """Delete every version of every object."""
    client: Any = account.client("s3")
    for versions in _versions(account, bucket):
        wanted = {"Objects": versions, "Quiet": True}
        done = client.delete_objects(Bucket=bucket, Delete=wanted, ExpectedBucketOwner=account.number)
        if errors := done.get("Errors"):
            raise DeliveryError(f"s3://{bucket}/{errors[0]['Key']} was not deleted: {errors[0].get('Message', '')}")


def _versions(account: Account, bucket: str) -> Iterator[list[dict[str, str]]]:
    paginator = account.client("s3").get_paginator("list_object_versions")
    for page in paginator.paginate(Bucket=bucket, ExpectedBucketOwner=account.number):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            yield [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]
