"""What a model server answers instead of a prediction: a status and one line of text."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from pipelines.local.serving.model_server import ModelServer
from tests.local.serving.served import CALCULATOR, Client, Reply, Serve, get, post

MEBIBYTE = 1 << 20
TEXT = "text/plain; charset=utf-8"
LENGTH = """
    def model_fn(model_dir):
        return None

    def transform_fn(model, data, content_type, accept):
        return str(len(data))
"""
RAISES = """
    def model_fn(model_dir):
        return None

    def transform_fn(model, data, content_type, accept):
        raise eval(data)
"""


@pytest.fixture(scope="module")
def raising(serve_once: Serve) -> ModelServer:
    return serve_once(RAISES)


@pytest.fixture
def client(raising: ModelServer) -> Iterator[Client]:
    with closing(Client(raising.socket)) as client:
        yield client


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        ("ValueError('row 3:\\n  age is -1')", 400, "row 3: age is -1"),
        ("UnicodeError('no text')", 400, "no text"),
        ("ValueError()", 400, "ValueError"),
        ("ValueError('ä' * 5000)", 400, "ä" * 1000),
        ("KeyError('age')", 500, "KeyError: 'age'"),
        ("MemoryError()", 500, "MemoryError: MemoryError"),
    ],
)
def test_an_error_is_answered_in_one_line(client: Client, error: str, status: int, line: str) -> None:
    assert client.post(error) == Reply(status, TEXT, line)


def test_errors_stand_in_the_log_those_of_the_program_with_their_place(serve: Serve) -> None:
    server = serve(RAISES)
    post(server, "ValueError('a bad row')")
    post(server, "KeyError('age')")
    log = serve.log.read_text()
    assert re.search(r"ValueError at .*inference.py, line 6\n.*400: a bad row\n", log)
    assert log.count("Traceback") == 1
    assert re.search(r'inference.py", line 6, in transform_fn\n(.*\n){1,3}.*500: KeyError: .age.\n', log)


def test_an_answer_that_is_no_text_is_an_error(serve: Serve) -> None:
    server = serve("def model_fn(d): ...\ndef transform_fn(m, d, c, a): return 1.5")
    line = "TypeError: the answer is of type float; output_fn must return text or bytes"
    assert post(server, "1") == Reply(500, TEXT, line)


def test_an_empty_body_is_refused(client: Client) -> None:
    assert client.post("") == Reply(400, TEXT, "the body is empty; send at least one row")


@pytest.mark.parametrize("kind", ["text/csv", "application/json"])
def test_text_that_is_none_is_refused(client: Client, kind: str) -> None:
    assert client.post(b"age\n\xff", kind) == Reply(
        400, TEXT, "the body is not UTF-8 text: invalid start byte at byte 4"
    )


@pytest.mark.parametrize(
    ("environment", "limit"), [({}, 6 * MEBIBYTE), ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"}, MEBIBYTE)]
)
def test_a_body_may_have_so_many_bytes_and_no_more(serve: Serve, environment: dict[str, str], limit: int) -> None:
    server = serve(LENGTH, environment)
    assert post(server, b"1" * limit).text == str(limit)
    line = f"the body has more than {limit // MEBIBYTE} MiB; send fewer rows at once"
    assert post(server, b"1" * (limit + 1)) == Reply(413, TEXT, line)
    assert post(server, b"1" * (limit + 5 * MEBIBYTE)).status == 413


def test_a_payload_limit_of_zero_is_none(serve: Serve) -> None:
    assert post(serve(LENGTH, {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}), b"1" * (7 * MEBIBYTE)).text == str(7 * MEBIBYTE)


def test_other_paths_and_methods_are_refused(serve: Serve) -> None:
    server = serve(CALCULATOR)
    assert get(server, "/models").status == 404
    assert get(server, "/invocations").status == 405
