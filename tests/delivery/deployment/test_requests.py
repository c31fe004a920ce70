"""Rows as requests, and answers as predictions."""

import csv
import io
import json

import pytest

from pipelines.delivery.deployment.requests import (
    CSV,
    JSON,
    AnswerError,
    csv_body,
    example,
    json_body,
    numeric_columns,
    predictions,
)
from pipelines.delivery.deployment.rows import Rows

ROWS = Rows(
    ("amount", "share", "limit", "zip", "none", "huge"),
    (("12.50", ".5", "25/50", "01234", "", "1e999"), ("1e3", "-7", "a,\nb", "98101", "", "1")),
    (0, 1),
)


def test_csv_has_a_header_and_survives_any_cell() -> None:
    read = list(csv.reader(io.StringIO(csv_body(ROWS.columns, ROWS.values).decode(), newline="")))
    assert read == [list(ROWS.columns), *(list(row) for row in ROWS.values)]


def test_json_has_numbers_where_a_whole_column_is_numbers() -> None:
    assert numeric_columns(ROWS) == (True, True, False, True, False, False)
    first, second = json.loads(json_body(ROWS.columns, ROWS.values, numeric_columns(ROWS)))["instances"]
    assert first == {"amount": 12.5, "share": 0.5, "limit": "25/50", "zip": 1234.0, "none": None, "huge": "1e999"}
    assert second == {"amount": 1000.0, "share": -7, "limit": "a,\nb", "zip": 98101, "none": None, "huge": "1"}


def test_the_example_is_the_first_row() -> None:
    assert json.loads(example(ROWS))["instances"][0]["limit"] == "25/50"


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"0.25\n1.0\n", CSV),
        (b"0.25,1", CSV),
        (b"[0.25, 1]", JSON),
        (b'{"predictions": [0.25, 1.0]}', JSON),
        (b'{"predictions": [{"score": 0.25}, {"score": 1.0}]}', JSON),
    ],
)
def test_predictions_are_read_in_the_forms_that_containers_write(body: bytes, form: str) -> None:
    assert predictions(body, form, 2) == [0.25, 1.0]


@pytest.mark.parametrize(
    ("body", "form", "message"),
    [
        (b"", CSV, "answer is no list of predictions: ''"),
        (b"0.1\nyes\n", CSV, "answer is no list of predictions: '0.1 yes'"),
        (b"0.1\n", CSV, "answer has 1 predictions for 2 rows"),
        (b"0.1\n0.2\n0.3\n", CSV, "answer has 3 predictions for 2 rows"),
        (b"0.1\n1.01\n", CSV, "answer has 1.01, which is no probability from 0 to 1"),
        (b"0.1\ninf\n", CSV, "answer has inf, which"),
        (b"{}", JSON, "answer is no list of predictions: '{}'"),
        (b'["0.1", "0.2"]', JSON, "answer is no list of predictions"),
        (b"[true, false]", JSON, "answer is no list of predictions"),
        (b"[0.1, NaN]", JSON, "answer has nan, which"),
        (b"\xff\xfe", CSV, "answer is no list of predictions"),
    ],
)
def test_what_is_no_list_of_probabilities_is_refused(body: bytes, form: str, message: str) -> None:
    with pytest.raises(AnswerError) as caught:
        predictions(body, form, 2)
    assert message in str(caught.value)
