"""Requests of raw claims, and what a model answers to them in this process: the measure of every server of it."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import inference
from columns import Schema

Row = dict[str, str]


def labelled_rows(file: Path, label: str = "fraud") -> tuple[list[Row], list[int]]:
    """Return the raw claims that Preprocess kept of the test set, and their labels."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return rows, [int(row.pop(label)) for row in rows]


def csv_body(rows: Sequence[Row], *, header: bool = True) -> bytes:
    """Return claims as a CSV's bytes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def json_objects(rows: Sequence[Row], schema: Schema) -> list[dict[str, Any]]:
    """Return claims as JSON has them: numbers as numbers, an empty cell as null."""
    kinds = {column.name: column.kind for column in schema.features}

    def value(name: str, cell: str) -> Any:
        return None if not cell else cell if kinds.get(name) == "category" else float(cell)

    return [{name: value(name, cell) for name, cell in row.items()} for row in rows]


def json_body(rows: Sequence[Row], schema: Schema) -> bytes:
    """Return claims as a JSON list."""
    return json.dumps(json_objects(rows, schema)).encode()


def answer(model: inference.Model, body: bytes | str, content_type: str, accept: str = "text/csv") -> str:
    """Return the text of a model's answer; AssertionError with its line when it refuses."""
    answered = inference.transform_fn(model, body, content_type, accept)
    assert not isinstance(answered, inference.Refusal), answered.message
    text, answer_type = answered
    assert answer_type == accept
    return text


def refusal(model: inference.Model, body: bytes | str, content_type: str, accept: str = "text/csv") -> str:
    """Return the status and the line with which a model refuses a request."""
    answered = inference.transform_fn(model, body, content_type, accept)
    assert isinstance(answered, inference.Refusal), answered
    return f"{answered.status.value} {answered.message}"


def scores(text: str) -> inference.Probabilities:
    """Return the probabilities of an answer in CSV or JSON, as the float32 that they are."""
    if text.startswith("{"):
        return np.array([prediction["score"] for prediction in json.loads(text)["predictions"]], np.float32)
    return np.array(text.split(), np.float64).astype(np.float32)
