"""Claims for an endpoint: a sample to begin with, and what the endpoint answers to one that is sent."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipelines.delivery.deployment.requests import CSV, JSON, csv_body, json_body, numeric_columns
from pipelines.delivery.deployment.rows import Rows, read_rows
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.wording import duration
from pipelines.ui.errors import told as said

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from pipelines.delivery.packages import ModelPackage

FORMS = (JSON, CSV)
# What is shown of an answer, which may be of many claims.
LONGEST_ANSWER = 100_000
# The codes of what the model answered, and not the service.
_MODEL_ERRORS = frozenset({"ModelError", "ModelNotReadyException"})


@dataclass(frozen=True)
class Sample:
    """A claim of those that the package keeps, as the text of a request; the label is what is true of it."""

    text: str
    number: int
    count: int
    label: int


@dataclass(frozen=True)
class Answer:
    """What came back: the model's status and text, or in `problem` why nothing came from a model."""

    seconds: float
    status: int | None = None
    text: str = ""
    content_type: str = ""
    variant: str = ""
    problem: str | None = None
    cut: bool = field(default=False)

    @property
    def is_good(self) -> bool:
        """Whether the model took the claim."""
        return self.status is not None and self.status < 400

    @property
    def took(self) -> str:
        """The time there and back."""
        return f"{self.seconds * 1000:.1f} ms" if self.seconds < 1 else duration(self.seconds)


def read_sample(s3: S3Client, package: ModelPackage, form: str, number: int) -> Sample | str:
    """Return one of a package's labelled rows, counted from 1 and begun anew after the last, or say why there is none.

    A JSON text is laid out for people.
    """
    try:
        rows = read_rows(s3, package, None)
    except DeliveryError as error:
        return str(error).partition(": give --test-data")[0]
    count = len(rows.labels)
    place = (number - 1) % count
    return Sample(_text(rows, form, place), place + 1, count, rows.labels[place])


def _text(rows: Rows, form: str, place: int) -> str:
    values = rows.values[place : place + 1]
    if form == CSV:
        return csv_body(rows.columns, values).decode()
    return json.dumps(json.loads(json_body(rows.columns, values, numeric_columns(rows))), indent=2, ensure_ascii=False)


def send(runtime: Any, endpoint: str, text: str, form: str, *, variant: str = "") -> Answer:
    """Send a text to an endpoint and return what it answers, the errors of its model among that.

    Lines end as a shell would send them, and not as forms of browsers do.
    """
    body = text.replace("\r\n", "\n").encode()
    chosen = {"TargetVariant": variant} if variant else {}
    began = time.monotonic()
    try:
        answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType=form, Accept=form, Body=body, **chosen)
        content: bytes = answer["Body"].read()
    except ClientError as error:
        return _refusal(error, time.monotonic() - began)
    seconds = time.monotonic() - began
    given = answer.get("ContentType", "")
    # JSON can name letters that no text has.
    shown = _readable(content.decode(errors="replace"), given).encode(errors="replace").decode()
    return Answer(
        seconds=seconds,
        status=200,
        text=shown[:LONGEST_ANSWER],
        content_type=given,
        variant=answer.get("InvokedProductionVariant", ""),
        cut=len(shown) > LONGEST_ANSWER,
    )


def _refusal(error: ClientError, seconds: float) -> Answer:
    told: Mapping[str, Any] = error.response
    # Of an answer that is too late, or too long, the service says the status 0.
    if told["Error"].get("Code") not in _MODEL_ERRORS or not told.get("OriginalStatusCode"):
        return Answer(seconds, problem=said(error))
    text = str(told.get("OriginalMessage", ""))
    return Answer(seconds, told["OriginalStatusCode"], text[:LONGEST_ANSWER], cut=len(text) > LONGEST_ANSWER)


def _readable(text: str, content_type: str) -> str:
    if content_type.partition(";")[0] != JSON:
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
