"""Requests to a model server: what is sent again, what is told, and how they end."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest

from pipelines.local.containers.stop import Stop
from pipelines.local.jobs.transform_client import InvocationFailed, ModelClient

Answer = Callable[[BaseHTTPRequestHandler, bytes], tuple[int, bytes] | None]


class Container:
    """An HTTP server on a unix socket, which answers as a test says; no answer breaks the connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: list[tuple[str, str | None, bytes]] = []
        self.answer: Answer = lambda _, body: (200, body)
        container = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                container.seen.append((self.path, self.headers["Content-Type"], body))
                answered = container.answer(self, body)
                if answered:
                    self.send_response(answered[0])
                    self.send_header("Content-Length", str(len(answered[1])))
                    self.end_headers()
                    self.wfile.write(answered[1])

            do_GET = do_POST  # noqa: N815 -- the name that the library calls

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 -- its name there
                pass

        self._server = ThreadingUnixStreamServer(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    made = Container(tmp_path / "socket")
    yield made
    made.close()


def client(path: Path, *, timeout: float = 30, retries: int = 3, stop: Stop | None = None) -> ModelClient:
    headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
    return ModelClient(path, headers, timeout=timeout, retries=retries, stop=stop or Stop())


def test_a_request_has_the_types_and_gets_the_answer(container: Container) -> None:
    assert client(container.path).invoke(b"1,2\n") == b"1,2\n"
    assert container.seen == [("/invocations", "text/csv", b"1,2\n")]


def test_a_refusal_is_not_tried_again(container: Container) -> None:
    container.answer = lambda *_: (400, b"claim 1: column\n 'x' is missing\n")
    with pytest.raises(InvocationFailed, match=r"^400: claim 1: column 'x' is missing$") as caught:
        client(container.path).invoke(b"1\n")
    assert caught.value.kind == "ClientError"
    assert len(container.seen) == 1


def test_a_failure_is_tried_again_as_often_as_is_said(container: Container) -> None:
    container.answer = lambda *_: (500, b"")
    with pytest.raises(InvocationFailed, match=r"^500: no reason was given$") as caught:
        client(container.path, retries=1).invoke(b"1\n")
    assert caught.value.kind == "AlgorithmError"
    assert len(container.seen) == 2


def test_a_request_whose_worker_dies_succeeds_with_the_next_one(container: Container) -> None:
    container.answer = lambda _, body: (200, body) if len(container.seen) == 3 else None
    assert client(container.path).invoke(b"1\n") == b"1\n"
    assert len(container.seen) == 3


def test_a_container_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        InvocationFailed, match=r"the model's container broke the connection, see its log: .*No such file"
    ):
        client(tmp_path / "nothing", retries=0).invoke(b"1\n")


def test_an_answer_that_does_not_come_is_told(container: Container) -> None:
    wait = threading.Event()

    def answer(*_: object) -> None:
        wait.wait()

    container.answer = answer
    with pytest.raises(InvocationFailed, match=r"did not answer within 0\.05 s \(ModelClientConfig"):
        client(container.path, timeout=0.05, retries=0).invoke(b"1\n")
    wait.set()


def test_a_stop_breaks_a_request_at_once_and_lets_none_follow(container: Container) -> None:
    stop, wait = Stop(), threading.Event()
    sender = client(container.path, stop=stop)

    def answer(*_: object) -> None:
        threading.Thread(target=stop.set).start()
        wait.wait()

    container.answer = answer
    with stop.on_set(sender.close), pytest.raises(InvocationFailed, match="broke the connection"):
        sender.invoke(b"1\n")
    wait.set()
    with pytest.raises(InvocationFailed, match="the job was stopped"):
        sender.invoke(b"2\n")
    assert len(container.seen) == 1


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ((200, b'{"MaxConcurrentTransforms": 2}'), {"MaxConcurrentTransforms": 2}),
        ((404, b"not found"), {}),
        ((200, b"not json"), {}),
        ((200, b"[]"), {}),
        (None, {}),
    ],
)
def test_execution_parameters_may_be_missing(
    container: Container, answer: tuple[int, bytes] | None, found: dict[str, int]
) -> None:
    container.answer = lambda *_: answer
    assert client(container.path).execution_parameters() == found
    assert container.seen[0][0] == "/execution-parameters"


def test_a_long_answer_is_shortened(container: Container) -> None:
    container.answer = lambda *_: (413, b"x" * 10_000)
    with pytest.raises(InvocationFailed) as caught:
        client(container.path).invoke(b"1\n")
    assert len(str(caught.value)) < 600
