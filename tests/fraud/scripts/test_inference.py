"""Inference: raw claims as CSV or JSON give the probabilities that evaluation gave, bit for bit."""

import csv
import io
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import inference
import preprocess
from features import encode

Rows = list[dict[str, str]]


@pytest.fixture(scope="session")
def model(model_dir: Path) -> inference.Model:
    return inference.model_fn(str(model_dir))


@pytest.fixture(scope="session")
def rows(raw: Path) -> Rows:
    """The test set's raw claims, in its order."""
    claims, customers = (
        pd.read_csv(raw / f"{n}.csv", dtype=str, keep_default_na=False) for n in ("claims", "customers")
    )
    splits = preprocess.assign_splits(
        claims["fraud"].to_numpy().astype(np.int8), claims["policy_id"].to_numpy().astype(np.int64), 42
    )
    joined = claims.merge(customers, on="policy_id")[splits == 2]
    return [{str(name): str(value) for name, value in row.items()} for row in joined.to_dict("records")]


@pytest.fixture(scope="session")
def expected(model: inference.Model, prepared: Path) -> inference.Probabilities:
    return model.predict(pq.read_table(prepared / "test" / "test.parquet"))


def as_csv(rows: Rows, *, header: bool = True) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def typed(row: dict[str, str], model: inference.Model) -> dict[str, Any]:
    kinds = {column.name: column.kind for column in model.schema.features}
    return {name: value if kinds.get(name) == "category" else float(value) for name, value in row.items()}


def ask(model: inference.Model, body: str | bytes, content_type: str) -> inference.Probabilities:
    return inference.predict_fn(inference.input_fn(body, content_type), model)


def without(rows: Rows, *names: str) -> Rows:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def test_csv_with_a_header_gives_evaluations_probabilities_bit_for_bit(
    model: inference.Model, rows: Rows, expected: inference.Probabilities
) -> None:
    assert ask(model, as_csv(rows), "text/csv").tobytes() == expected.tobytes()
    assert (
        ask(model, as_csv(without(rows, "policy_id", "fraud")).encode(), "text/csv; charset=utf-8").tobytes()
        == expected.tobytes()
    )


def test_the_order_of_named_columns_does_not_matter(
    model: inference.Model, rows: Rows, expected: inference.Probabilities
) -> None:
    turned = [dict(reversed(row.items())) for row in rows]
    assert ask(model, as_csv(turned), "text/csv").tobytes() == expected.tobytes()


@pytest.mark.parametrize("left_out", [("fraud",), ("fraud", "policy_id")])
def test_csv_without_a_header_is_read_in_the_documented_order(
    left_out: tuple[str, ...], model: inference.Model, rows: Rows, expected: inference.Probabilities
) -> None:
    body = as_csv(without(rows, *left_out), header=False)
    assert ask(model, body, "text/csv").tobytes() == expected.tobytes()


def test_json_gives_evaluations_probabilities_bit_for_bit(
    model: inference.Model, rows: Rows, expected: inference.Probabilities
) -> None:
    objects = [typed(row, model) for row in rows]
    for document in (objects, {"instances": objects}):
        assert ask(model, json.dumps(document), "application/json").tobytes() == expected.tobytes()


def test_one_claim_alone_gives_the_same_probability_as_among_others(
    model: inference.Model, rows: Rows, expected: inference.Probabilities
) -> None:
    for position in (0, 17, 999):
        body = json.dumps(typed(rows[position], model))
        assert ask(model, body, "application/json").tolist() == [expected[position]]
        assert ask(model, as_csv([rows[position]]), "text/csv").tolist() == [expected[position]]


def test_none_is_a_category_and_null_is_missing(model: inference.Model, rows: Rows) -> None:
    claims = [{**typed(rows[0], model), "authorities_contacted": value} for value in ("None", "N/A", None)]
    table = encode(model.schema.features, inference._read_objects(claims, model.schema))
    assert table["authorities_contacted"].to_pylist() == [3, 3, None]
    body = as_csv([{**rows[0], "authorities_contacted": value} for value in ("None", "N/A", "")])
    by_csv = ask(model, body, "text/csv")
    assert by_csv.tobytes() == ask(model, json.dumps(claims), "application/json").tobytes()


BAD_VALUES = [
    ("incident_type", "Flood", "claim 2: column 'incident_type': 'Flood' is not a known category; allowed: Collision,"),
    ("incident_type", 3, "claim 2: column 'incident_type': 3 is not text; allowed: Collision, Break-in, Theft"),
    (
        "customer_age",
        "old",
        "claim 2: column 'customer_age': 'old' is not a number; allowed: a whole number at least 0",
    ),
    ("customer_age", True, "claim 2: column 'customer_age': True is not a number; allowed: a whole number at least 0"),
    ("customer_age", 1.5, "claim 2: column 'customer_age': '1.5' is not whole; allowed: a whole number at least 0"),
    ("incident_hour", 24, "claim 2: column 'incident_hour': '24' is out of range; allowed: a whole number at least 0"),
    ("injury_claim", 1e300, "claim 2: column 'injury_claim': '1e+300' is out of range; allowed: a finite number"),
    ("injury_claim", [1], "claim 2: column 'injury_claim': [1] is not a number; allowed: a finite number"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD_VALUES)
def test_a_bad_json_value_is_named_with_its_claim_and_column(
    name: str, value: Any, message: str, model: inference.Model, rows: Rows
) -> None:
    claims = [typed(row, model) for row in rows[:3]]
    claims[1][name] = value
    with pytest.raises(ValueError, match=re.escape(message)):
        ask(model, json.dumps(claims), "application/json")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("incident_type", "Flood", "claim 2: column 'incident_type': 'Flood' is not a known category"),
        ("customer_age", "old", "claim 2: column 'customer_age': 'old' is not a number"),
        ("customer_age", "nan", "claim 2: column 'customer_age': 'nan' is not finite"),
    ],
)
def test_a_bad_csv_cell_is_named_with_its_claim_and_column(
    name: str, value: str, message: str, model: inference.Model, rows: Rows
) -> None:
    changed = [rows[0], {**rows[1], name: value}]
    with pytest.raises(ValueError, match=re.escape(message)):
        ask(model, as_csv(changed), "text/csv")


def test_a_missing_and_an_unknown_column_are_named(model: inference.Model, rows: Rows) -> None:
    with pytest.raises(ValueError, match=r"column 'auto_year': is missing; found: "):
        ask(model, as_csv(without(rows[:1], "auto_year")), "text/csv")
    with pytest.raises(ValueError, match=r"claim 1: column 'auto_year': is missing; found: "):
        ask(model, json.dumps(typed(without(rows[:1], "auto_year")[0], model)), "application/json")
    with pytest.raises(ValueError, match=r"column 'mood': is not in the schema; allowed: "):
        ask(model, json.dumps({**typed(rows[0], model), "mood": 1}), "application/json")


@pytest.mark.parametrize("body", ["[]", "3", "[1]", '{"instances": 3}', '{"instances": []}'])
def test_json_that_is_no_claim_is_refused(body: str, model: inference.Model) -> None:
    with pytest.raises(ValueError, match="JSON is not claims; allowed: an object, a list of objects"):
        ask(model, body, "application/json")


def test_json_that_cannot_be_parsed_is_a_value_error(model: inference.Model) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        ask(model, "{", "application/json")


def test_a_headerless_csv_of_another_width_is_refused(model: inference.Model) -> None:
    with pytest.raises(
        ValueError, match="no header and 3 cells a line; allowed: a header, or 28 cells, or 29 with policy_id"
    ):
        ask(model, "1,2,3\n", "text/csv")


def test_other_content_types_are_refused(model: inference.Model) -> None:
    with pytest.raises(
        ValueError, match="content type 'text/libsvm' is not supported; allowed: text/csv, application/json"
    ):
        inference.input_fn(b"", "text/libsvm")
    with pytest.raises(ValueError, match="accept type 'image/png' is not supported"):
        inference.output_fn(np.zeros(1, np.float32), "image/png")


def test_the_answer_keeps_every_bit_of_the_probabilities(expected: inference.Probabilities) -> None:
    lines = inference.output_fn(expected, "text/csv").splitlines()
    assert np.array([float(line) for line in lines], np.float32).tobytes() == expected.tobytes()
    scores = [p["score"] for p in json.loads(inference.output_fn(expected, "application/json"))["predictions"]]
    assert np.array(scores, np.float32).tobytes() == expected.tobytes()


def test_the_archives_own_code_serves_without_this_repository(
    archive_dir: Path, rows: Rows, expected: inference.Probabilities, tmp_path: Path
) -> None:
    with tarfile.open(archive_dir / "model.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    (tmp_path / "body.csv").write_text(as_csv(rows[:5]))
    code = (
        "import sys; sys.path.insert(0, 'code'); import inference as i;"
        "print(i.output_fn(i.predict_fn(i.input_fn(open('body.csv').read(), 'text/csv'), i.model_fn('.')), 'text/csv'))"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [float(line) for line in ran.stdout.split()] == [float(value) for value in expected[:5]]
