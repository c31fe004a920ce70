"""The built-in algorithm's model behind a server."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from pipelines.local.serving.model_server import ModelServer
from tests.local.serving.served import Client, Serve, get, post

ROWS = np.array([[0.25, 0.5, np.nan], [0.75, 0.125, 1.0]], dtype=np.float32)
CSV = "0.25,0.5,\n0.75,0.125,1\n"


def trained(**parameters: Any) -> xgb.Booster:
    values = np.random.default_rng(7).random((200, 3), dtype=np.float32)
    labels = (values[:, 0] * 3).astype(int) if "num_class" in parameters else values[:, 0]
    return xgb.train({"max_depth": 3, "nthread": 1, **parameters}, xgb.DMatrix(values, label=labels), 5)


def expected(booster: xgb.Booster, rows: Any = ROWS) -> Any:
    return booster.predict(xgb.DMatrix(rows)).tolist()


def started(serve: Serve, booster: xgb.Booster, **environment: str) -> ModelServer:
    server = serve.make(serve.archive({"xgboost-model": bytes(booster.save_raw("ubj"))}), environment)
    server.start()
    return server


@pytest.fixture(scope="module")
def booster() -> xgb.Booster:
    return trained()


@pytest.fixture(scope="module")
def server(serve_once: Serve, booster: xgb.Booster) -> ModelServer:
    return started(serve_once, booster)


@pytest.fixture
def client(server: ModelServer) -> Iterator[Client]:
    with closing(Client(server.socket)) as client:
        yield client


@pytest.mark.parametrize("kind", ["text/csv", "csv", "text/csv; charset=utf-8"])
def test_csv_gives_a_prediction_a_line(client: Client, booster: xgb.Booster, kind: str) -> None:
    reply = client.post(CSV, kind)
    assert (reply.status, reply.kind) == (200, "text/csv")
    assert [float(line) for line in reply.text.splitlines()] == expected(booster)


@pytest.mark.parametrize(
    "text", [CSV.replace(",", ";"), CSV.replace(",", "\t"), f"\n{CSV}\n", CSV.replace("\n", "\r\n")]
)
def test_csv_may_have_other_delimiters_and_line_ends(client: Client, booster: xgb.Booster, text: str) -> None:
    assert [float(line) for line in client.post(text).text.splitlines()] == expected(booster)


def test_json_has_a_score_a_row(client: Client, booster: xgb.Booster) -> None:
    reply = client.post(CSV, accept="application/json")
    assert reply.kind == "application/json"
    assert json.loads(reply.text) == {"predictions": [{"score": score} for score in expected(booster)]}


@pytest.mark.parametrize("kind", ["text/libsvm", "text/x-libsvm", ""])
@pytest.mark.parametrize("text", ["0:0.25 1:0.5\n0:0.75 1:0.125 2:1", "1 1:0.25 2:0.5\n0 1:0.75 2:0.125 3:1"])
def test_libsvm_may_have_labels_and_indices_from_one(
    client: Client, booster: xgb.Booster, kind: str, text: str
) -> None:
    assert [float(line) for line in client.post(text, kind).text.splitlines()] == expected(booster)


def test_several_classes_are_columns(serve: Serve) -> None:
    booster = trained(objective="multi:softprob", num_class=3)
    server = started(serve, booster)
    assert [[float(cell) for cell in line.split(",")] for line in post(server, CSV).text.splitlines()] == expected(
        booster
    )


def test_batch_has_lines_whatever_is_accepted(serve: Serve, booster: xgb.Booster) -> None:
    server = started(serve, booster, SAGEMAKER_BATCH="true", SAGEMAKER_MAX_PAYLOAD_IN_MB="2")
    lines = [str(score) for score in expected(booster)]
    assert post(server, CSV, accept="application/json").text.splitlines() == lines
    parameters = json.loads(get(server, "/execution-parameters").text)
    assert (parameters["BatchStrategy"], parameters["MaxPayloadInMB"]) == ("MULTI_RECORD", 2)


@pytest.mark.parametrize(
    ("text", "kind", "accept", "status", "line"),
    [
        ("1,2", "text/csv", None, 400, "line 1 has 2 columns; the model needs 3"),
        ("1,2,3\n1,2,3,4", "text/csv", None, 400, "line 2 has 4 columns; the model needs 3"),
        ("1,2,x", "text/csv", None, 400, "line 1, column 3: 'x' is not a number; text/csv has no header"),
        (" \n", "text/csv", None, 400, "the body has no rows; send at least one"),
        ("0:1 7:1", "text/libsvm", None, 400, "the rows have 8 columns; the model has 3"),
        ("0:1 1:x", "text/libsvm", None, 400, "line 1 '0:1 1:x' is not libsvm: '<label> <index>:<value> ...'"),
        (
            "1",
            "image/png",
            None,
            415,
            "content type 'image/png' is not supported; allowed: text/csv, text/libsvm, text/x-libsvm",
        ),
        (
            CSV,
            "text/csv",
            "image/png",
            406,
            "accept type 'image/png' is not supported; allowed: text/csv, application/json",
        ),
    ],
)
def test_what_the_algorithm_does_not_take_is_named(
    client: Client, text: str, kind: str, accept: str | None, status: int, line: str
) -> None:
    reply = client.post(text, kind, accept)
    assert (reply.status, reply.text) == (status, line)


def test_a_program_without_functions_has_xgboost_s_defaults(serve: Serve, booster: xgb.Booster) -> None:
    files: dict[str, str | bytes] = {
        "xgboost-model": bytes(booster.save_raw("ubj")),
        "code/inference.py": """
            import os
            import xgboost as xgb

            def model_fn(model_dir):
                return xgb.Booster(model_file=os.path.join(model_dir, "xgboost-model"))
        """,
    }
    server = serve.make(serve.archive(files))
    server.start()
    assert json.loads(post(server, CSV).text) == expected(booster)
    lines = post(server, CSV, accept="text/csv").text.splitlines()
    assert [np.float32(line) for line in lines] == expected(booster)
    assert post(server, "[1]", "application/json").status == 415
