"""The value of --input-data: an S3 URI as it is, or a folder that is uploaded under its content's hash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.delivery.errors import UsageError

if TYPE_CHECKING:
    import boto3

PARAMETER = "InputData"
_S3_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")
_UPLOADED = re.compile(r"s3://[^/]+/(?P<prefix>.+)/data/[0-9a-f]{64}/")


def check_input_data(value: str) -> None:
    """Refuse what is neither a folder nor an S3 URI, before anything is made or sent."""
    if value.startswith("s3://"):
        if not _S3_URI.fullmatch(value):
            raise UsageError(f"--input-data {value} is no S3 URI: expected s3://bucket/prefix")
    elif not Path(value).is_dir():
        raise UsageError(f"--input-data {value} is not a folder: give a folder with the input files, or an S3 URI")


def prefix_of(default: object) -> str:
    """Return the key prefix below which the data of a definition's default was uploaded under its hash."""
    match = _UPLOADED.fullmatch(default) if isinstance(default, str) else None
    return match["prefix"] if match else ""


def send_input_data(value: str, session: boto3.Session, kwargs: Mapping[str, Any], prefix: object = "") -> str:
    """Return the S3 URI of the input data, uploaded to the bucket that get_pipeline is told to use.

    `prefix` is where the pipeline keeps its own data, so that the same data are one input however they were given.
    """
    if value.startswith("s3://"):
        return value
    # Whoever uploads nothing does not pay for the import.
    from pipelines.delivery.bucket import default_bucket  # noqa: PLC0415
    from pipelines.delivery.upload import Destination, upload_data  # noqa: PLC0415

    bucket = kwargs.get("default_bucket") or default_bucket(session)
    below = str(kwargs.get("base_job_prefix") or prefix or "").strip("/")
    return upload_data(Path(value), Destination(session, bucket, below))
