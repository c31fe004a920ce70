"""The port: whose requests it takes, how much of them, and for how long it waits for more."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.hosting import listener
from pipelines.local.hosting.gateway import Gateway
from pipelines.local.hosting.listener import MAX_BODY_BYTES, listen
from pipelines.local.hosting.routes import Routes
from tests.local.containers.processes import wait_for
from tests.local.hosting.backend import Backends
from tests.local.hosting.clients import Client
from tests.local.hosting.conftest import Started
from tests.unprivileged import NOBODY


@pytest.fixture
def serving(gateway: Gateway, backends: Backends, start: Started) -> Gateway:
    """A gateway whose model tells how long the body was."""
    backends.scripts["m"] = lambda body: (200, str(len(body)).encode())
    gateway.route(Routes(start(backends.fleet("m"))))
    return gateway


@pytest.fixture
def wire(serving: Gateway) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", serving.port), 30) as made:
        yield made


def received(wire: socket.socket) -> bytes:
    """Return everything until the other end closes."""
    blocks = []
    while block := wire.recv(1 << 16):
        blocks.append(block)
    return b"".join(blocks)


@pytest.mark.parametrize("size", [0, 1, 70_000, MAX_BODY_BYTES])
def test_a_body_of_any_allowed_length_is_taken(serving: Gateway, client: Client, size: int) -> None:
    response = client.ask(b"x" * size)
    assert (response.status, response.text) == (200, str(size))


def test_a_chunked_body_is_taken(serving: Gateway, client: Client) -> None:
    client.connection.request("POST", "/invocations", iter([b"12", b"345"]), encode_chunked=True)
    assert client.connection.getresponse().read() == b"5"


def test_a_longer_body_is_refused_before_it_is_sent(wire: socket.socket, backends: Backends) -> None:
    head = f"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n"
    wire.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
    assert wire.recv(1 << 16).startswith(b"HTTP/1.1 413 ")
    assert backends.latest("m").headers == []


def test_a_longer_body_that_does_not_say_so_is_refused(serving: Gateway, client: Client, backends: Backends) -> None:
    client.connection.request("POST", "/invocations", iter([b"x" * (MAX_BODY_BYTES + 1)]), encode_chunked=True)
    response = client.connection.getresponse()
    assert response.status == 413
    assert b"more than 6291456 bytes" in response.read()
    assert backends.latest("m").headers == []


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(wire: socket.socket) -> None:
    wire.sendall(b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert wire.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.sendall(b"1,2")
    assert wire.recv(1 << 16).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_sends_no_more_gets_the_answer_to_its_whole_request(
    wire: socket.socket, backends: Backends
) -> None:
    sent_all, answer = threading.Event(), backends.latest("m").script
    backends.latest("m").script = lambda body: answer(body) if sent_all.wait(30) else (500, b"")
    wire.sendall(b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n1,2")
    wire.shutdown(socket.SHUT_WR)
    sent_all.set()
    answer_text = received(wire)
    assert answer_text.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer_text.endswith(b"\r\n\r\n3")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /invocations HTTP/1.1\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1",
    ],
)
def test_a_client_that_sends_no_more_before_its_request_is_whole_is_given_up(
    wire: socket.socket, backends: Backends, sent: bytes
) -> None:
    wire.sendall(sent)
    wire.shutdown(socket.SHUT_WR)
    assert not received(wire).startswith(b"HTTP/1.1 200 ")
    assert backends.latest("m").headers == []


def test_a_kept_connection_ends_when_its_client_does(wire: socket.socket) -> None:
    wire.sendall(b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    assert wire.recv(1 << 16).startswith(b"HTTP/1.1 200 OK\r\n")
    wire.shutdown(socket.SHUT_WR)
    assert received(wire) == b""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("POST", "/ping2", 404), ("GET", "/invocations", 405), ("PUT", "/invocations", 405)],
)
def test_other_requests_are_refused(serving: Gateway, client: Client, method: str, path: str, status: int) -> None:
    assert client.ask(b"", path, method).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1:1"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "localhost", "Origin": "null"}, 403),
        ({"Host": "localhost"}, 200),
    ],
)
def test_requests_for_other_hosts_and_from_pages_are_refused(
    serving: Gateway, client: Client, backends: Backends, headers: dict[str, Any], status: int
) -> None:
    assert client.ask(**headers).status == status
    assert len(backends.latest("m").headers) == (status == 200)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_other_users_of_this_machine_are_refused(serving: Gateway, backends: Backends) -> None:
    os.seteuid(NOBODY)
    try:
        foreign = socket.create_connection(("127.0.0.1", serving.port), 30)
    finally:
        os.seteuid(0)
    with foreign:
        foreign.sendall(b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        assert foreign.recv(1 << 16).startswith(b"HTTP/1.1 403 ")
    assert backends.latest("m").headers == []


@pytest.mark.parametrize("mess", [b"\x16\x03\x01 hello\r\n\r\n", b"GET / HTTP/1.1\r\nno header\r\n\r\n"])
def test_what_is_not_http_is_refused_without_noise_and_others_are_answered(
    wire: socket.socket, client: Client, caplog: pytest.LogCaptureFixture, mess: bytes
) -> None:
    wire.sendall(mess)
    assert received(wire).startswith(b"HTTP/1.0 400 ")
    assert client.ask().status == 200
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(listener, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(listener, "ANSWER_MILLISECONDS", 300)


@pytest.mark.parametrize("head", [b"", b"POST /invocations HTTP/1.1\r\nHost: lo"])
def test_a_client_that_brings_no_whole_head_is_given_up(impatient: None, wire: socket.socket, head: bytes) -> None:
    wire.sendall(head)
    assert received(wire) == b""


def test_a_client_that_brings_no_whole_body_is_given_up(
    impatient: None, wire: socket.socket, backends: Backends
) -> None:
    wire.sendall(b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345")
    answer = received(wire)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not come within 0.3 seconds" in answer
    assert backends.latest("m").headers == []


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux gives such clients up")
def test_a_client_that_does_not_take_its_answer_is_given_up(
    impatient: None, wire: socket.socket, backends: Backends
) -> None:
    backends.latest("m").script = lambda _: (200, b"x" * (32 << 20))
    wire.sendall(b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1")
    wait_for(lambda: backends.latest("m").headers != [])
    ends = f":{wire.getpeername()[1]:04X}", f":{wire.getsockname()[1]:04X}"
    wait_for(lambda: not [it for it in connections() if (it[1][-5:], it[2][-5:], it[3]) == (*ends, "01")])


def connections() -> list[list[str]]:
    """Return what the system knows of TCP connections: local and remote address and state stand at 1, 2 and 3."""
    return [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]


def test_only_the_loopback_address_is_served(gateway: Gateway) -> None:
    addresses = [entry[1] for entry in connections() if entry[3] == "0A" and entry[1].endswith(f":{gateway.port:04X}")]
    assert addresses == [f"0100007F:{gateway.port:04X}"]


def test_the_port_is_the_one_of_before_if_it_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(listen(None)) as first:
        port = first.getsockname()[1]
        monkeypatch.setattr(listener, "PORT_SECONDS", 0.1)
        with closing(listen(f"http://127.0.0.1:{port}")) as another:
            assert another.getsockname()[1] != port
    with closing(listen(f"http://127.0.0.1:{port}")) as again:
        assert again.getsockname()[1] == port
