"""Script mode: a model behind functions of the user's own. Standalone: `serving.py` imports it.

After aws/sagemaker-containers and the serving parts of the images of XGBoost and scikit-learn: the same functions, with
the same arguments and defaults. There is none for model_fn.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

import numpy as np

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from pipelines.local.containers import serving_answers as answers
    from pipelines.local.containers import serving_xgboost
    from pipelines.local.containers.serving_answers import Answer, Model, Question
else:
    import serving_answers as answers
    import serving_xgboost
    from serving_answers import Answer, Model, Question

NPY = "application/x-npy"
TEXTS = (answers.JSON, answers.CSV)
Transform = Callable[[Any, str | bytes, str, str], Any]


def load(program: str, code: Path, folder: Path, *, xgboost: bool) -> Model:
    """Import the user's program, and load the model with its model_fn; `xgboost` chooses that image's defaults.

    Raises:
        AttributeError: it has no model_fn.
        ValueError: it has transform_fn, and functions that this stands for.
    """
    module = import_program(program, code)
    if not hasattr(module, "model_fn"):
        raise AttributeError(f"{program} has no model_fn(model_dir); write one that returns the model")
    transform = transform_of(module, program, xgboost=xgboost)
    model = module.model_fn(str(folder))
    default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or answers.JSON

    def answer(question: Question) -> Answer:
        content_type = question.content_type or answers.JSON
        accept = default_accept if question.accept in ("", answers.ANY) else question.accept
        return answer_of(transform(model, content_of(question.body, content_type), content_type, accept), accept)

    return answer


def import_program(program: str, code: Path) -> ModuleType:
    """Import the user's module, whose folder comes first on the path."""
    sys.path.insert(0, str(code))
    return importlib.import_module(program.removesuffix(".py").replace("/", "."))


def transform_of(module: ModuleType, program: str, *, xgboost: bool) -> Transform:
    """Return transform_fn, or what stands for it."""
    given = {name: getattr(module, name) for name in ("input_fn", "predict_fn", "output_fn") if hasattr(module, name)}
    if hasattr(module, "transform_fn"):
        if given:
            raise ValueError(f"{program} has transform_fn and {', '.join(given)}; write either the one or the others")
        transform: Transform = module.transform_fn
        return transform
    default_input, default_predict = (
        (serving_xgboost.matrix_of, serving_xgboost.predict) if xgboost else (array_of, predict)
    )
    read = given.get("input_fn", default_input)
    predicted = given.get("predict_fn", default_predict)
    written = given.get("output_fn", encode)
    return lambda model, content, content_type, accept: written(predicted(read(content, content_type), model), accept)


def content_of(body: bytes, content_type: str) -> str | bytes:
    """Return a body as the user's functions get it: CSV and JSON as text."""
    if content_type not in TEXTS:
        return body
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"the body is not UTF-8 text: {error.reason} at byte {error.start}") from error


def answer_of(result: Any, accept: str) -> Answer:
    """Return the answer for what the user's functions gave: a body, one and its type, or a WSGI application to run.

    Responses of Flask, which the images run on, are such applications.
    """
    if callable(result):
        return run(result)
    body, content_type = result if isinstance(result, tuple) else (result, accept)
    return Answer(bytes_of(body), content_type)


def run(application: WSGIApplication) -> Answer:
    """Return what a WSGI application answers."""
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": "/invocations"}
    setup_testing_defaults(environ)
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        started.append((status, headers))

    body = b"".join(application(environ, start_response))
    status, headers = started[-1]
    types = [value for name, value in headers if name.lower() == "content-type"]
    return Answer(body, types[0] if types else "application/octet-stream", int(status.split()[0]))


def bytes_of(body: Any) -> bytes:
    """Return a body's bytes.

    Raises:
        TypeError: it is neither text nor bytes.
    """
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    raise TypeError(f"the answer is of type {type(body).__name__}; output_fn must return text or bytes")


def predict(data: Any, model: Any) -> Any:
    """Return what the model predicts."""
    return model.predict(data)


def array_of(content: str | bytes, content_type: str) -> Any:
    """Return the numbers of a body: CSV, JSON or NPY."""
    match answers.media_type(content_type):
        case "text/csv":
            rows = list(csv.reader(io.StringIO(text_of(content)), strict=True))
            return np.array(rows).squeeze().astype(np.float32)
        case "application/json":
            return np.array(json.loads(content)).astype(np.float32)
        case "application/x-npy":
            assert isinstance(content, bytes)
            return np.load(io.BytesIO(content), allow_pickle=False)
        case other:
            raise answers.Refusal(
                answers.UNSUPPORTED_MEDIA_TYPE,
                f"content type {other!r} is not supported; allowed: {answers.CSV}, {answers.JSON}, {NPY}",
            )


def text_of(content: str | bytes) -> str:
    """Return content as text."""
    return content if isinstance(content, str) else content.decode()


def encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Return predictions as CSV, JSON or NPY, and the type."""
    kind = answers.media_type(accept)
    match kind:
        case "text/csv":
            rows = np.array(prediction)
            lines = io.StringIO()
            csv.writer(lines, lineterminator="\n").writerows(rows.reshape(-1, 1) if rows.ndim == 1 else rows)
            return lines.getvalue().encode(), kind
        case "application/json":
            return json.dumps(prediction, default=lambda array: array.tolist()).encode(), kind
        case "application/x-npy":
            buffer = io.BytesIO()
            np.save(buffer, prediction, allow_pickle=False)
            return buffer.getvalue(), kind
        case other:
            raise answers.Refusal(
                answers.NOT_ACCEPTABLE,
                f"accept type {other!r} is not supported; allowed: {answers.CSV}, {answers.JSON}, {NPY}",
            )
