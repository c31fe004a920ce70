"""Connections to endpoints: kept for the next request, and given up when they are of no use."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipelines.local.hosting.connections import Call, Connections, NoReply

LIMIT = 1000


class Echo(BaseHTTPRequestHandler):
    """Answers with the body; `/short` closes the connection afterwards without saying so, `/silent` says nothing."""

    protocol_version = "HTTP/1.1"
    clients: set[Any]
    is_over: threading.Event

    def do_POST(self) -> None:
        self.clients.add(self.client_address)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/silent":
            self.is_over.wait()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Path", self.path)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.path == "/short"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def clients() -> set[Any]:
    """The addresses of those who have connected."""
    return set()


@pytest.fixture
def url(clients: set[Any]) -> Iterator[str]:
    over = threading.Event()
    handler = type("Handler", (Echo,), {"clients": clients, "is_over": over})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def connections() -> Iterator[Connections]:
    made = Connections(patience=30)
    yield made
    made.close()


@pytest.fixture
def ask(connections: Connections, url: str) -> Callable[..., bytes]:
    """Return a function that sends a body to a path, and returns that of the reply."""

    def call(body: bytes = b"hello", path: str = "/", limit: int = LIMIT) -> bytes:
        reply = connections.send(Call("POST", f"{url}{path}", {"x-any": "thing"}, body), limit)
        assert (reply.status, reply.headers["x-path"]) == (200, path)
        return reply.body

    return call


def test_a_connection_is_kept_for_the_next_request(ask: Callable[..., bytes], clients: set[Any]) -> None:
    assert [ask(str(number).encode()) for number in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
    assert len(clients) == 1


def test_a_connection_that_was_given_up_meanwhile_does_no_harm(ask: Callable[..., bytes], clients: set[Any]) -> None:
    assert ask(path="/short") == b"hello"
    assert ask(b"again") == b"again"
    assert len(clients) == 2


def test_what_is_left_of_a_long_reply_is_not_taken_for_the_next(ask: Callable[..., bytes], clients: set[Any]) -> None:
    assert ask(b"a" * 5000, limit=10) == b"a" * 10
    assert ask(b"b") == b"b"
    assert len(clients) == 2


def test_threads_have_connections_of_their_own(ask: Callable[..., bytes], clients: set[Any]) -> None:
    with ThreadPoolExecutor(8) as pool:
        bodies = [str(number).encode() for number in range(200)]
        assert list(pool.map(ask, bodies)) == bodies
    assert len(clients) <= 8


def test_nobody_answers_where_nobody_listens(connections: Connections) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(NoReply, match="ConnectionRefusedError"):
            connections.send(Call("POST", url), LIMIT)


def test_what_is_no_http_is_no_reply(connections: Connections) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(1000)
                accepted.sendall(b"good morning\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NoReply, match="BadStatusLine"):
            connections.send(Call("POST", f"http://127.0.0.1:{listener.getsockname()[1]}/"), LIMIT)
        thread.join()


def test_a_reply_that_does_not_come_is_not_waited_for_for_ever(url: str) -> None:
    impatient = Connections(patience=0.1)
    with pytest.raises(TimeoutError):
        impatient.send(Call("POST", f"{url}/silent"), LIMIT)
    impatient.close()
