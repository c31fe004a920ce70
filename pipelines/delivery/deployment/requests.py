"""Rows as the body of a request, and predictions out of the body of an answer."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Sequence

from pipelines.delivery.deployment.rows import Rows

CSV, JSON = "text/csv", "application/json"
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"-?[1-9][0-9]*|0")
_SHOWN = 60

Values = Sequence[Sequence[str]]


class AnswerError(Exception):
    """An answer that is no list of predictions; status is the model's own, where it answered with an error."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def refuses_rows(self) -> bool:
        """Whether the model says that the mistake is in what it was sent."""
        return self.status is not None and 400 <= self.status < 500


def csv_body(columns: Sequence[str], values: Values) -> bytes:
    """Return rows as CSV below a header."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([columns, *values])
    return text.getvalue().encode()


def json_body(columns: Sequence[str], values: Values, numeric: Sequence[bool]) -> bytes:
    """Return rows as `{"instances": [{column: value}]}`; an empty cell is null."""
    rows = [
        {name: _value(cell, is_number) for name, cell, is_number in zip(columns, row, numeric, strict=True)}
        for row in values
    ]
    return json.dumps({"instances": rows}, ensure_ascii=False, separators=(",", ":")).encode()


def numeric_columns(rows: Rows) -> tuple[bool, ...]:
    """Say for each column whether all that stands in it is a number, which JSON writes without quotes."""
    return tuple(
        any(cells) and all(_is_number(cell.strip()) for cell in cells if cell)
        for cells in zip(*rows.values, strict=True)
    )


def example(rows: Rows) -> str:
    """Return the first row as the body of a JSON request, to be shown."""
    return json_body(rows.columns, rows.values[:1], numeric_columns(rows)).decode()


def predictions(body: bytes, form: str, count: int) -> list[float]:
    """Return the predictions of so many rows, each a probability.

    Raises:
        AnswerError: there are more or fewer, or one is no probability.
    """
    try:
        found = (
            _from_json(body) if form == JSON else [float(each) for each in re.split(r"[,\s]+", body.decode().strip())]
        )
    except (ValueError, TypeError, KeyError) as error:
        raise AnswerError(f"{form} answer is no list of predictions: {_start_of(body)}") from error
    if len(found) != count:
        raise AnswerError(f"{form} answer has {len(found)} predictions for {count} rows")
    wrong = next((each for each in found if not (math.isfinite(each) and 0 <= each <= 1)), None)
    if wrong is not None:
        raise AnswerError(f"{form} answer has {wrong!r}, which is no probability from 0 to 1")
    return found


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None and math.isfinite(float(cell))


def _from_json(body: bytes) -> list[float]:
    document = json.loads(body)
    listed = document["predictions"] if isinstance(document, dict) else document
    scores = [each["score"] if isinstance(each, dict) else each for each in listed]
    if any(isinstance(score, bool | str) for score in scores):
        raise ValueError("a prediction is no number")
    return [float(score) for score in scores]


def _value(cell: str, is_number: bool) -> object:
    if not cell:
        return None
    return json.loads(_as_json(cell.strip())) if is_number else cell


def _as_json(number: str) -> str:
    """Return a number of a CSV as JSON writes it: it knows no `01` and no `.5`."""
    return number if _INTEGER.fullmatch(number) else repr(float(number))


def _start_of(body: bytes) -> str:
    text = " ".join(body.decode(errors="replace").split())
    return f"'{text[:_SHOWN]}'"
