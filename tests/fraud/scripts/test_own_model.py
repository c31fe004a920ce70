"""A model of one's own data: trained, evaluated and served with what the schema learned."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import evaluate
import inference
import train
from columns import load_schema
from features import matrix
from tests.fraud.requests import csv_body, labelled_rows
from tests.fraud.scripts.own_data import OwnData, make, passengers, passengers_schema

CSV, JSON = "text/csv", "application/json"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> OwnData:
    # The class decides, and by its number alone a model could not say which one.
    table = passengers(600)
    table["survived"] = table["class"].map({1: "no", 2: "yes", 3: "no"})
    return make(tmp_path_factory.mktemp("own"), table)


@pytest.fixture(scope="module")
def prepared(data: OwnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    data.run(folder)
    return folder


@pytest.fixture(scope="module")
def own_model_dir(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    schema_file = prepared / "schema" / "schema.json"
    booster = train.train(prepared / "train", prepared / "validation", load_schema(schema_file), {"num_round": 5})
    train.save(booster, schema_file, folder)
    return folder


@pytest.fixture(scope="module")
def own_model(own_model_dir: Path) -> inference.Model:
    return inference.model_fn(own_model_dir)


def answer(model: inference.Model, body: bytes, content_type: str, accept: str = CSV) -> str:
    answered = inference.transform_fn(model, body, content_type, accept)
    if isinstance(answered, inference.Refusal):
        return f"{answered.status.value} {answered.message}"
    return answered[0]


def test_evaluate_measures_the_model(prepared: Path, own_model_dir: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(own_model_dir, ".")
    assert evaluate.evaluate(tmp_path, prepared / "test", tmp_path / "report") == 1.0


def test_csv_and_json_of_the_labelled_rows_get_the_test_sets_probabilities(
    prepared: Path, own_model: inference.Model
) -> None:
    rows, labels = labelled_rows(prepared / "labelled" / "labelled.csv", "survived")
    test = pq.read_table(prepared / "test")
    assert labels == test["survived"].to_pylist()
    expected = own_model.predict(matrix(test, own_model.schema.names))
    assert np.array_equal(np.array(answer(own_model, csv_body(rows), CSV).split(), np.float32), expected)
    # What looks like a number is sent as one: the class too, though it is a category.
    objects = [
        {
            "port": row["port"],
            "class": int(row["class"]),
            "fare": float(row["fare"]),
            "age": float(row["age"]) if row["age"] else None,
        }
        for row in rows
    ]
    assert np.array_equal(np.array(answer(own_model, json.dumps(objects).encode(), JSON).split(), np.float32), expected)


ROW: dict[str, Any] = {"port": "Cork", "class": "2", "fare": 7.5, "age": 30}


@pytest.mark.parametrize("value", [2, 2.0, "2"])
def test_a_category_that_is_a_numeral_may_come_as_a_number(value: object, own_model: inference.Model) -> None:
    score = answer(own_model, json.dumps({**ROW, "class": value}).encode(), JSON)
    assert score == answer(own_model, json.dumps(ROW).encode(), JSON)
    assert float(score) > 0.5


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"class": 7}, "400 row 1: column 'class': 7 is not text; allowed: 1, 2, 3"),
        ({"class": True}, "400 row 1: column 'class': True is not text; allowed: 1, 2, 3"),
        ({"port": "Quay"}, "400 row 1: column 'port': 'Quay' is not a known category; allowed: Brest, Cork, Dover"),
        (
            {"seat": 1},
            "400 row 1: column 'seat': is not in the schema; allowed: port, class, fare, age, survived, ticket",
        ),
    ],
)
def test_what_the_model_has_not_learned_is_refused(
    members: dict[str, Any], message: str, own_model: inference.Model
) -> None:
    assert answer(own_model, json.dumps({**ROW, **members}).encode(), JSON) == message


def test_label_and_dropped_columns_may_be_sent_and_are_left_out(own_model: inference.Model) -> None:
    expected = answer(own_model, json.dumps(ROW).encode(), JSON)
    more = {"ticket": "T-9", **ROW, "survived": "no"}
    assert answer(own_model, json.dumps(more).encode(), JSON) == expected
    text = io.StringIO()
    text.write(f"{','.join(more)}\n{','.join(map(str, more.values()))}\n")
    assert answer(own_model, text.getvalue().encode(), CSV) == expected


def test_without_an_id_a_csv_without_a_header_has_the_features_alone(own_model: inference.Model) -> None:
    expected = answer(own_model, json.dumps(ROW).encode(), JSON)
    assert answer(own_model, b"Cork,2,7.5,30\n", CSV) == expected
    assert answer(own_model, b"T-9,Cork,2,7.5,30\n", CSV) == (
        "400 the CSV has no header and 5 cells a line; allowed: a header, or 4 cells"
    )


def test_the_schema_that_goes_with_the_model_is_whole(own_model: inference.Model) -> None:
    assert own_model.schema.drop == tuple(passengers_schema()["drop"])
    assert own_model.schema.types == ["c", "c", "q", "q"]
