"""Inference: raw claims as CSV or JSON give the probabilities that evaluation gave, bit for bit."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st

import evaluate
import inference
from columns import DataError
from tests.fraud.requests import Row, answer, csv_body, json_body, json_objects, labelled_rows, scores

CSV, JSON = "text/csv", "application/json"


@pytest.fixture(scope="session")
def rows(prepared: Path) -> list[Row]:
    """The test set's raw claims, in its order."""
    return labelled_rows(prepared / "labelled" / "labelled.csv")[0]


@pytest.fixture(scope="session")
def expected(archive_dir: Path, prepared: Path) -> inference.Probabilities:
    """The probabilities that Evaluate makes its report of."""
    return evaluate.predict(evaluate.load_model(archive_dir), prepared / "test")[1]


@pytest.mark.parametrize("accept", [CSV, JSON])
def test_csv_gives_evaluations_probabilities_bit_for_bit(
    model: inference.Model, rows: list[Row], expected: inference.Probabilities, accept: str
) -> None:
    assert scores(answer(model, csv_body(rows), CSV, accept)).tobytes() == expected.tobytes()


@pytest.mark.parametrize("accept", [CSV, JSON])
def test_json_gives_evaluations_probabilities_bit_for_bit(
    model: inference.Model, rows: list[Row], expected: inference.Probabilities, accept: str
) -> None:
    assert scores(answer(model, json_body(rows, model.schema), JSON, accept)).tobytes() == expected.tobytes()


@pytest.mark.parametrize("accept", [CSV, JSON])
@given(numbers=st.lists(st.floats(0, 1, width=32), min_size=1))
def test_an_answer_keeps_every_bit_of_a_probability(accept: str, numbers: list[float]) -> None:
    text = inference.WRITERS[accept](numbers)
    assert scores(text).tobytes() == np.array(numbers, np.float32).tobytes()


@pytest.mark.parametrize("size", [1, 7, 100])
def test_few_claims_give_the_same_probabilities_as_all_at_once(
    model: inference.Model, rows: list[Row], expected: inference.Probabilities, size: int
) -> None:
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    by_csv = [scores(answer(model, csv_body(part), CSV)) for part in parts]
    by_json = [scores(answer(model, json_body(part, model.schema), JSON)) for part in parts]
    assert np.concatenate(by_csv).tobytes() == np.concatenate(by_json).tobytes() == expected.tobytes()


def test_predicting_in_place_gives_the_bits_of_a_dmatrix(model: inference.Model) -> None:
    random = np.random.default_rng(3)
    columns = [
        random.integers(0, len(column.categories), 2_000) if column.kind == "category" else random.normal(0, 1e4, 2_000)
        for column in model.schema.features
    ]
    matrix = np.column_stack(columns).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    data = xgb.DMatrix(matrix, feature_names=model.schema.names, feature_types=model.schema.types)
    together = model.booster.predict(data).tobytes()
    assert model.predict(matrix).tobytes() == together
    assert b"".join(model.predict(matrix[row : row + 1]).tobytes() for row in range(len(matrix))) == together


def test_the_order_of_columns_the_id_and_the_label_do_not_matter(
    model: inference.Model, rows: list[Row], expected: inference.Probabilities
) -> None:
    changed = [{"fraud": "", **dict(reversed(row.items())), "policy_id": "P-7"} for row in rows]
    assert scores(answer(model, csv_body(changed), "text/csv; charset=utf-8")).tobytes() == expected.tobytes()
    objects = [{"fraud": None, **row, "policy_id": 7} for row in json_objects(rows, model.schema)]
    assert scores(answer(model, json.dumps({"instances": objects}), JSON)).tobytes() == expected.tobytes()


@pytest.mark.parametrize("extra", [{}, {"policy_id": "1"}])
def test_csv_without_a_header_is_read_in_the_documented_order(
    extra: Row, model: inference.Model, rows: list[Row], expected: inference.Probabilities
) -> None:
    body = csv_body([{**extra, **row} for row in rows], header=False)
    assert scores(answer(model, body, CSV)).tobytes() == expected.tobytes()


def test_an_object_alone_is_one_claim(
    model: inference.Model, rows: list[Row], expected: inference.Probabilities
) -> None:
    body = json.dumps(json_objects(rows[:1], model.schema)[0])
    assert scores(answer(model, body, JSON)).tolist() == [expected[0]]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.decode(),
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body.replace(b"\r\n", b"\n"),
        lambda body: body.rstrip(),
        lambda body: body.replace(b"\r\n", b"\r\n\r\n"),
        lambda body: b"\r\n".join(b'"' + line.replace(b",", b'","') + b'"' for line in body.split(b"\r\n") if line),
    ],
    ids=["text", "byte order mark", "unix lines", "no last line end", "empty lines", "quoted"],
)
def test_the_ways_to_write_a_csv_are_all_read(
    change: Any, model: inference.Model, rows: list[Row], expected: inference.Probabilities
) -> None:
    assert scores(answer(model, change(csv_body(rows[:5])), CSV)).tobytes() == expected[:5].tobytes()


def test_none_is_a_category_and_an_empty_cell_is_missing(model: inference.Model, rows: list[Row]) -> None:
    missing = {"authorities_contacted": "", "injury_claim": "", "num_witnesses": ""}
    none = ({"authorities_contacted": spelling} for spelling in ("None", "N/A"))
    changed = [rows[0] | change for change in (*none, missing)]
    by_csv = scores(answer(model, csv_body(changed), CSV))
    assert by_csv[0] == by_csv[1]
    assert by_csv.tobytes() == scores(answer(model, json_body(changed, model.schema), JSON)).tobytes()


def test_the_model_folders_code_serves_without_this_repository(
    archive_dir: Path, rows: list[Row], expected: inference.Probabilities, tmp_path: Path
) -> None:
    with tarfile.open(archive_dir / "model.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    (tmp_path / "body.csv").write_bytes(csv_body(rows[:5]))
    code = (
        "import sys; sys.path.insert(0, 'code'); import inference as i;"
        "print(i.transform_fn(i.model_fn('.'), open('body.csv').read(), 'text/csv', 'text/csv')[0])"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert scores(ran.stdout).tobytes() == expected[:5].tobytes()


def test_a_model_of_other_features_than_its_schema_is_refused(model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "xgboost-model").write_bytes((model_dir / "xgboost-model").read_bytes())
    with pytest.raises(DataError, match=r"the model has no file 'schema\.json'"):
        inference.model_fn(tmp_path)
    schema = (model_dir / "schema.json").read_text()
    (tmp_path / "schema.json").write_text(schema.replace('"auto_year"', '"auto_age"'))
    with pytest.raises(DataError, match=r"xgboost-model has other features than schema\.json"):
        inference.model_fn(tmp_path)
