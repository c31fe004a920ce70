"""The model's entry point behind an endpoint: raw claims in, probabilities of fraud out.

A raw claim has the schema's columns by name, those of claims, then those of customers: as a CSV line below a header,
or as a JSON object. The policy's id and the label may be there and are ignored. A CSV without a header has these
columns in this order: those of claims.csv without `fraud`, then those of customers.csv without the second
`policy_id`; the first one may be left out.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xgboost as xgb

from features import Column, DataError, Schema, check_names, encode, load_schema, matrix, read_csv, read_header

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """A booster and the schema that it was trained with."""

    booster: xgb.Booster
    schema: Schema

    def predict(self, claims: pa.Table) -> Probabilities:
        """Return the probability of fraud of encoded claims."""
        names = self.schema.names
        data = xgb.DMatrix(
            matrix(claims, names), feature_names=names, feature_types=self.schema.types, missing=float("nan"), nthread=1
        )
        probabilities: Probabilities = self.booster.predict(data)
        return probabilities


def model_fn(model_dir: str | Path) -> Model:
    """Load the model from the unpacked model.tar.gz."""
    for name in ("xgboost-model", "schema.json"):
        if not (Path(model_dir) / name).is_file():
            raise DataError(f"the model has no file {name!r}; give a model.tar.gz that the Train step made")
    booster = xgb.Booster()
    booster.load_model(bytearray((Path(model_dir) / "xgboost-model").read_bytes()))
    return Model(booster, load_schema(Path(model_dir) / "schema.json"))


def input_fn(body: str | bytes | bytearray, content_type: str) -> bytes | list[dict[str, Any]]:
    """Return the request's claims, a CSV's bytes or JSON objects; predict_fn has the schema to read the values."""
    data = body.encode() if isinstance(body, str) else bytes(body)
    match _media_type(content_type):
        case "text/csv":
            return data
        case "application/json":
            return _objects(json.loads(data))
        case other:
            raise ValueError(f"content type {other!r} is not supported; allowed: text/csv, application/json")


def predict_fn(claims: bytes | list[dict[str, Any]], model: Model) -> Probabilities:
    """Return each claim's probability of fraud; raises ValueError naming the column that is missing or not allowed."""
    try:
        table = _read_csv(claims, model.schema) if isinstance(claims, bytes) else _read_objects(claims, model.schema)
        return model.predict(encode(model.schema.features, table))
    except DataError as error:
        raise ValueError(f"claim {error.row + 1}: {error}" if error.row is not None else str(error)) from error


def output_fn(probabilities: Probabilities, accept: str) -> str:
    """Return the probabilities as CSV, one a line, or as JSON: {"predictions": [{"score": 0.1}]}."""
    scores = [float(probability) for probability in probabilities]
    match _media_type(accept):
        case "text/csv" | "*/*":
            return "".join(f"{score!r}\n" for score in scores)
        case "application/json":
            return json.dumps({"predictions": [{"score": score} for score in scores]})
        case other:
            raise ValueError(f"accept type {other!r} is not supported; allowed: text/csv, application/json")


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _objects(document: Any) -> list[dict[str, Any]]:
    if isinstance(document, dict):
        document = document.get("instances", [document])
    if not isinstance(document, list) or not document or not all(isinstance(claim, dict) for claim in document):
        raise ValueError('JSON is not claims; allowed: an object, a list of objects, or {"instances": [objects]}')
    return document


def _read_csv(data: bytes, schema: Schema) -> pa.Table:
    names = _names(schema)
    first = read_header(data)
    if set(first) & set(names):
        _check_names(first, schema)
        return read_csv(data, schema.features, strict=False)
    columns = [name for name in names if name != schema.label]
    if len(first) == len(columns) - 1:
        columns.remove(schema.id)
    if len(first) != len(columns):
        allowed = f"{len(columns) - 1} cells, or {len(columns)} with {schema.id}"
        raise ValueError(f"the CSV has no header and {len(first)} cells a line; allowed: a header, or {allowed}")
    return read_csv(data, schema.features, names=columns, strict=False)


def _read_objects(claims: Sequence[Mapping[str, Any]], schema: Schema) -> pa.Table:
    for row, claim in enumerate(claims):
        try:
            _check_names(list(claim), schema)
        except DataError as error:
            raise DataError(str(error), row=row) from error
    return pa.table(
        {column.name: _values(column, [claim[column.name] for claim in claims]) for column in schema.features}
    )


def _values(column: Column, values: list[Any]) -> pa.Array:
    text = column.kind == "category"
    for row, value in enumerate(values):
        # bool is an int in Python, but true is no number of witnesses.
        fits = isinstance(value, str) if text else isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not fits:
            raise DataError(
                f"{value!r} is not {'text' if text else 'a number'}; allowed: {column.allowed}",
                column=column.name,
                row=row,
            )
    return pa.array(
        values if text else [None if v is None else float(v) for v in values], pa.string() if text else pa.float64()
    )


def _names(schema: Schema) -> list[str]:
    return list(dict.fromkeys(column.name for columns in schema.tables.values() for column in columns))


def _check_names(header: Sequence[str], schema: Schema) -> None:
    check_names([name for name in header if name not in (schema.id, schema.label)], schema.features)
