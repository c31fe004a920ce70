"""JSON documents in S3. One that is gone, not ours to read or no JSON is none: it costs a number, not the work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LARGEST_BYTES = 20_000_000
_UNREADABLE = frozenset({"NoSuchKey", "NoSuchBucket", "AccessDenied", "AccessDeniedException", "404", "403"})


def read_document(s3: S3Client, uri: str) -> object:
    """Return the document at an S3 URI, or none."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read(LARGEST_BYTES))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNREADABLE:
            raise
    except (ValueError, RecursionError):
        # The step that reads it in earnest says what is wrong with it.
        return None
    return None
