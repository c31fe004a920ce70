"""XGBoost as SageMaker's built-in algorithm behind an endpoint. Standalone: `serving.py` imports it.

After the algorithm mode of aws/sagemaker-xgboost-container (commit cb8df91): the same content types and answers. Its
JSON lines, RecordIO and selectable inference are refused.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost as xgb
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from pipelines.local.containers import serving_answers as answers
    from pipelines.local.containers.serving_answers import Answer, Model, Question
else:
    import serving_answers as answers
    from serving_answers import Answer, Model, Question

MODEL_NAME = "xgboost-model"
LIBSVM = "text/libsvm"
CSVS, LIBSVMS = ("csv", answers.CSV), ("libsvm", LIBSVM, "text/x-libsvm")
DELIMITERS = ",;\t| "


def load(folder: Path) -> Model:
    """Load the booster that the built-in algorithm left.

    Raises:
        FileNotFoundError: it is not there.
        NotImplementedError: the model's variables ask for what this machine does not do.
    """
    if os.environ.get("SAGEMAKER_INFERENCE_OUTPUT"):
        raise NotImplementedError("SAGEMAKER_INFERENCE_OUTPUT is not supported on this machine; leave it out")
    file = folder / MODEL_NAME
    if not file.is_file():
        there = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise FileNotFoundError(
            f"the model has no file {MODEL_NAME!r} at its top, it has: {there}; give what the built-in algorithm left, "
            "or set SAGEMAKER_PROGRAM to a program that loads it"
        )
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(file.read_bytes()))
    columns = booster.num_features()
    default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or answers.CSV
    is_batch = bool(os.environ.get("SAGEMAKER_BATCH"))

    def answer(question: Question) -> Answer:
        accept = answers.media_type(default_accept if question.accept in ("", answers.ANY) else question.accept)
        if accept not in (answers.CSV, answers.JSON):
            raise answers.Refusal(
                answers.NOT_ACCEPTABLE,
                f"accept type {accept!r} is not supported; allowed: {answers.CSV}, {answers.JSON}",
            )
        matrix = matrix_of(question.body, question.content_type or LIBSVM, columns)
        return Answer(encode(predict(matrix, booster).tolist(), accept, is_batch=is_batch), accept)

    return answer


def encode(predictions: list[Any], accept: str, *, is_batch: bool) -> bytes:
    """Return predictions as lines, or as JSON: {"predictions": [{"score": 0.1}]}; batch has lines only."""
    if is_batch:
        return "".join(f"{value}\n" for value in predictions).encode()
    if accept == answers.JSON:
        return json.dumps({"predictions": [{"score": value} for value in predictions]}).encode()
    rows = (value if isinstance(value, list) else [value] for value in predictions)
    return "".join(f"{','.join(map(str, row))}\n" for row in rows).encode()


def predict(matrix: xgb.DMatrix, booster: xgb.Booster) -> Any:
    """Return what a booster predicts."""
    return booster.predict(matrix, validate_features=False)


def matrix_of(content: str | bytes, content_type: str, columns: int | None = None) -> xgb.DMatrix:
    """Return the rows of a body; they must have so many columns, where that is known.

    Raises:
        Refusal: it is of a type that is not supported.
        ValueError: it is not what its type says.
    """
    kind = answers.media_type(content_type)
    if kind not in CSVS and kind not in LIBSVMS:
        raise answers.Refusal(
            answers.UNSUPPORTED_MEDIA_TYPE,
            f"content type {kind!r} is not supported; allowed: {answers.CSV}, {LIBSVM}, text/x-libsvm",
        )
    try:
        lines = (content if isinstance(content, str) else content.decode()).strip().splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"the body is not UTF-8 text: {error.reason} at byte {error.start}") from error
    if not lines:
        raise ValueError("the body has no rows; send at least one")
    rows = dense(lines, columns) if kind in CSVS else sparse(lines, columns)
    return xgb.DMatrix(rows, nthread=1)


def dense(lines: list[str], columns: int | None) -> Any:
    """Return the numbers of CSV without a header; an empty cell is a missing value."""
    delimiter = max(DELIMITERS, key=lines[0].count)
    cells = list(csv.reader(lines, delimiter=delimiter))
    wanted = columns or len(cells[0])
    for number, row in enumerate(cells, 1):
        if len(row) != wanted:
            raise ValueError(f"line {number} has {len(row)} columns; the model needs {wanted}")
    rows = np.empty((len(cells), wanted), dtype=np.float32)
    for number, row in enumerate(cells, 1):
        for column, cell in enumerate(row):
            try:
                rows[number - 1, column] = float(cell) if cell.strip() else np.nan
            except ValueError:
                raise ValueError(
                    f"line {number}, column {column + 1}: {cell[:50]!r} is not a number; text/csv has no header"
                ) from None
    return rows


def sparse(lines: list[str], columns: int | None) -> Any:
    """Return the numbers of libsvm lines, with a label or without; indices that begin at 1 are moved to 0."""
    values, indices, ends = [], [], [0]
    for number, line in enumerate(lines, 1):
        try:
            pairs = [item.split(":") for item in line.split() if ":" in item]
            indices += [int(index) for index, _ in pairs]
            values += [float(value) for _, value in pairs]
        except ValueError:
            raise ValueError(f"line {number} {line[:50]!r} is not libsvm: '<label> <index>:<value> ...'") from None
        ends.append(len(values))
    first = 1 if indices and min(indices) >= 1 else 0
    there = max(indices, default=first) - first + 1
    if columns is not None and there > columns:
        raise ValueError(f"the rows have {there} columns; the model has {columns}")
    positions = np.asarray(indices, dtype=np.int32) - first
    return csr_matrix((values, positions, ends), shape=(len(lines), columns or there), dtype=np.float32)
