"""Labelled rows to test an endpoint with: a CSV with a header whose first column is the label, 0 or 1."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipelines.delivery.deployment.names import S3_OBJECT
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.packages import ModelPackage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LONGEST_BATCH = 500
# The service takes 6 MiB.
LARGEST_BATCH = 5 * 1024 * 1024
_LABELS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}
_GONE = frozenset({"NoSuchKey", "NoSuchBucket", "404"})


@dataclass(frozen=True)
class Rows:
    """Rows as a client sends them, the label of each, and where they are from if they are not the package's own."""

    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    labels: tuple[int, ...]
    given: str | None = None

    def batches(self) -> Iterator[Sequence[tuple[str, ...]]]:
        """Yield all rows in parts that an endpoint takes."""
        batch: list[tuple[str, ...]] = []
        size = 0
        # JSON is the longer form: each value has its name, quotes around both, and maybe escapes.
        names = sum(len(name.encode()) + len('"":"",') for name in self.columns)
        for values in self.values:
            length = names + 2 * sum(len(value.encode()) for value in values)
            if batch and (len(batch) == LONGEST_BATCH or size + length > LARGEST_BATCH):
                yield batch
                batch, size = [], 0
            batch.append(values)
            size += length
        yield batch


def read_rows(s3: S3Client, package: ModelPackage, given: str | None) -> Rows:
    """Return the rows of a file or an S3 object that was given, or else those that the package names."""
    if given:
        return replace(parse_rows(_read(s3, given), given), given=given)
    place = package.labelled_rows
    if place is None:
        raise DeliveryError(
            f"{package.name} names no labelled rows to test the endpoint with (LabelledRows): "
            "give --test-data FILE|S3-URI"
        )
    if not S3_OBJECT.fullmatch(place):
        # Whoever registers a package could else have any file of this machine sent to its model.
        raise DeliveryError(
            f"{package.name} names its labelled rows (LabelledRows) as {place}, which is no object in S3: "
            "give --test-data FILE|S3-URI"
        )
    return parse_rows(_read(s3, place), place)


def parse_rows(content: bytes, place: str) -> Rows:
    """Read the CSV; refuse one that proves nothing, for its labels are missing or all the same."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DeliveryError(f"test data {place}: {error}; give a CSV in UTF-8 with the label first") from error
    lines = [line for line in lines if line]
    if len(lines) < 2 or len(lines[0]) < 2:
        raise DeliveryError(f"test data {place}: expected a header, the label's column first, and rows below it")
    header, rows = lines[0], lines[1:]
    for number, row in enumerate(rows, 1):
        if len(row) != len(header) or row[0].strip() not in _LABELS:
            raise DeliveryError(
                f"test data {place}: row {number} has {len(row)} cells, of which the first is '{row[0]}': "
                f"expected {len(header)}, and 0 or 1 for the label {header[0]}"
            )
    labels = tuple(_LABELS[row[0].strip()] for row in rows)
    if len(set(labels)) == 1:
        raise DeliveryError(f"test data {place}: all labels are {labels[0]}; a ROC AUC needs rows of both")
    return Rows(tuple(header[1:]), tuple(tuple(row[1:]) for row in rows), labels)


def _read(s3: S3Client, place: str) -> bytes:
    if not place.startswith("s3://"):
        try:
            return Path(place).read_bytes()
        except OSError as error:
            raise DeliveryError(f"--test-data {place}: {error.strerror}") from error
    bucket, _, key = place.removeprefix("s3://").partition("/")
    try:
        content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"].get("Code") not in _GONE:
            raise
        raise DeliveryError(f"there are no test data at {place}: give --test-data FILE|S3-URI") from error
    return content
