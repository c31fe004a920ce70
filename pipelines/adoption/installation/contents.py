"""All that a versioned bucket holds, and an end to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.adoption.account import Account
from pipelines.delivery.errors import DeliveryError


def versions(account: Account, bucket: str) -> Iterator[list[dict[str, str]]]:
    """Yield the object versions and delete markers of a bucket, a thousand at a time."""
    client: Any = account.client("s3")
    for page in client.get_paginator("list_object_versions").paginate(
        Bucket=bucket, ExpectedBucketOwner=account.number
    ):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            yield [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]


def delete_bucket(account: Account, bucket: str) -> None:
    """Delete a bucket with all that it holds."""
    client: Any = account.client("s3")
    for objects in versions(account, bucket):
        done = client.delete_objects(
            Bucket=bucket, Delete={"Objects": objects, "Quiet": True}, ExpectedBucketOwner=account.number
        )
        if errors := done.get("Errors"):
            raise DeliveryError(f"s3://{bucket}/{errors[0]['Key']} was not deleted: {errors[0].get('Message', '')}")
    client.delete_bucket(Bucket=bucket, ExpectedBucketOwner=account.number)
