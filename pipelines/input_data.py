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


def check_input_data(value: str) -> None:
    """Refuse what is neither a folder nor an S3 URI, before anything is made or sent."""
    if value.startswith("s3://"):
        if not _S3_URI.fullmatch(value):
            raise UsageError(f"--input-data {value} is no S3 URI: expected s3://bucket/prefix")
    elif not Path(value).is_dir():
        raise UsageError(f"--input-data {value} is not a folder: give a folder with the input files, or an S3 URI")


def send_input_data(value: str, session: boto3.Session, kwargs: Mapping[str, Any]) -> str:
    """Return the S3 URI of the input data, uploaded to the bucket that get_pipeline is told to use."""
    if value.startswith("s3://"):
        return value
    # Whoever uploads nothing does not pay for the import.
    from pipelines.delivery.bucket import default_bucket  # noqa: PLC0415
    from pipelines.delivery.upload import Destination, upload_data  # noqa: PLC0415

    bucket = kwargs.get("default_bucket") or default_bucket(session)
    return upload_data(Path(value), Destination(session, bucket, str(kwargs.get("base_job_prefix", ""))))
