"""The model's entry point behind an endpoint: raw claims in (see claims.py), probabilities of fraud out.

The XGBoost image (aws/sagemaker-containers 2.8.6.post2, _functions.py line 95, _transformer.py lines 203 to 207)
answers every exception of these functions with 500 and a page without a reason; but what transform_fn returns and is no
tuple goes to Flask, which runs it when it is a WSGI application. So a mistake of the client's is returned as one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb

import claims
from columns import DataError, Schema, load_schema
from features import Matrix

Probabilities = npt.NDArray[np.float32]
LONGEST_MESSAGE = 1_000
# Nine digits keep every bit of a float32; for many numbers, nothing in Python is faster than one format for all.
SCORE = "%.9g"


@dataclass(frozen=True)
class Model:
    """A booster and the schema that it was trained with."""

    booster: xgb.Booster
    schema: Schema

    def predict(self, matrix: Matrix) -> Probabilities:
        """Return the probability of fraud of each row of features in the schema's order."""
        probabilities: Probabilities = self.booster.inplace_predict(matrix, validate_features=False)
        return probabilities


@dataclass(frozen=True)
class Refusal:
    """A response of 4xx that says in one line what is wrong with a request: a WSGI application."""

    status: HTTPStatus
    message: str

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        body = f"{self.message}\n".encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        start_response(f"{self.status.value} {self.status.phrase}", headers)
        return [body]


def model_fn(model_dir: str | Path) -> Model:
    """Load the model from the unpacked model.tar.gz."""
    folder = Path(model_dir)
    for name in ("xgboost-model", "schema.json"):
        if not (folder / name).is_file():
            raise DataError(f"the model has no file {name!r}; give a model.tar.gz that the Train step made")
    booster = xgb.Booster()
    booster.load_model(bytearray((folder / "xgboost-model").read_bytes()))
    schema = load_schema(folder / "schema.json")
    if (booster.feature_names, booster.feature_types) != (schema.names, schema.types):
        raise DataError(
            "xgboost-model has other features than schema.json; give a model.tar.gz that the Train step made"
        )
    return Model(booster, schema)


def transform_fn(model: Model, body: str | bytes, content_type: str, accept: str) -> tuple[str, str] | Refusal:
    """Return the probabilities of a request's claims and their content type, or what is wrong with the request."""
    try:
        answer_type = _answer_type(accept)
    except claims.UnsupportedTypeError as error:
        return _refuse(HTTPStatus.NOT_ACCEPTABLE, error)
    try:
        matrix = claims.read(body.encode() if isinstance(body, str) else bytes(body), content_type, model.schema)
    except claims.UnsupportedTypeError as error:
        return _refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error)
    except DataError as error:
        return _refuse(HTTPStatus.BAD_REQUEST, error)
    return WRITERS[answer_type](model.predict(matrix).tolist()), answer_type


def _write_csv(scores: Sequence[float]) -> str:
    return (f"{SCORE}\n" * len(scores)) % tuple(scores)


def _write_json(scores: Sequence[float]) -> str:
    predictions = ", ".join([f'{{"score": {SCORE}}}'] * len(scores)) % tuple(scores)
    return f'{{"predictions": [{predictions}]}}'


WRITERS = {"text/csv": _write_csv, "application/json": _write_json}


def _answer_type(accept: str) -> str:
    """Return the first type of an Accept header that there is a writer for."""
    for wanted in map(claims.media_type, accept.split(",")):
        for known in WRITERS:
            if wanted in (known, "*/*", f"{known.partition('/')[0]}/*"):
                return known
    raise claims.UnsupportedTypeError(f"accept type {accept!r} is not supported; allowed: {', '.join(WRITERS)}")


def _refuse(status: HTTPStatus, error: Exception) -> Refusal:
    line = " ".join(str(error).split())
    # What was sent may be in the message, whatever it is.
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line[:LONGEST_MESSAGE])
    return Refusal(status, shown)
