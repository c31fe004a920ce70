"""Many clients, slow clients, clients that leave, and the end of the server."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.local.api.wire import Request, Response
from pipelines.local.errors import LocalError
from pipelines.local.server import Server
from tests.local.server.conftest import Connect, Wire

Objects = Callable[[], dict[str, bytes]]


def test_a_slow_client_blocks_nobody(connect: Connect) -> None:
    slow = connect()
    slow.send(b"PUT /bucket/slow HTTP/1.1\r\nHo")
    stalled = connect()
    stalled.request("PUT /bucket/stalled", "Content-Length: 10")
    stalled.send(b"12345")
    assert connect().ask("PUT /bucket/quick", body=b"x").status == 200
    slow.send(b"st: localhost\r\nContent-Length: 1\r\n\r\nx")
    stalled.send(b"67890")
    assert (slow.reply().status, stalled.reply().status) == (200, 200)


def test_a_head_that_does_not_come_is_given_up(impatient: Server) -> None:
    with Wire(impatient.port) as wire:
        wire.send(b"GET / HTT")
        assert wire.reply().status == 408
        assert wire.is_closed()


def test_a_head_that_comes_drop_by_drop_is_given_up(impatient: Server) -> None:
    with Wire(impatient.port) as wire:
        wire.socket.settimeout(0.05)
        received, sent = b"", 0
        while not received:
            wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n"[sent : sent + 1] or b"X")
            sent += 1
            try:
                received = wire.socket.recv(12)
            except TimeoutError:
                continue
    assert received == b"HTTP/1.1 408"
    assert sent < 20


def test_a_body_that_does_not_come_is_given_up_and_writes_nothing(
    server: Server, impatient: Server, objects: Objects
) -> None:
    with Wire(impatient.port) as wire:
        wire.request("PUT /bucket/a", "Content-Length: 10")
        wire.send(b"12345")
        reply = wire.reply()
        assert (reply.status, b"<Code>RequestTimeout</Code>" in reply.body) == (408, True)
        assert wire.is_closed()
    assert objects() == {}
    assert server.port != impatient.port


def test_a_connection_without_requests_is_closed(impatient: Server) -> None:
    with Wire(impatient.port) as wire:
        assert wire.ask("GET /").status == 200
        assert wire.is_closed()


def test_clients_that_only_connect_keep_nobody_out(session_services: dict[str, Callable[[Request], Response]]) -> None:
    server = Server(session_services, max_connections=4)
    idle = [Wire(server.port) for _ in range(12)]
    for wire in idle[::2]:
        wire.send(b"GET / HTTP/1.1\r\nX: ")
    with Wire(server.port) as wire:
        assert wire.ask("GET /").status == 200
    for wire in idle:
        wire.socket.close()
    server.close()


@pytest.fixture
def session_services() -> dict[str, Callable[[Request], Response]]:
    """A service that answers everything with its path."""
    return {"s3": lambda request: Response(body=request.path.encode())}


def test_more_clients_than_connections_are_all_answered(
    session_services: dict[str, Callable[[Request], Response]],
) -> None:
    server = Server(session_services, max_connections=4)

    def ask(number: int) -> bytes:
        with Wire(server.port) as wire:
            return wire.ask(f"GET /{number}", "Connection: close").body

    with ThreadPoolExecutor(16) as pool:
        answered = list(pool.map(ask, range(100)))
    server.close()
    assert answered == [f"/{number}".encode() for number in range(100)]


def test_a_client_that_leaves_in_the_middle_harms_nobody(connect: Connect, objects: Objects) -> None:
    connect().ask("PUT /bucket/large", body=b"x" * (32 << 20))
    for _ in range(5):
        leaving = connect()
        leaving.request("GET /bucket/large")
        leaving.socket.recv(100)
        leaving.socket.close()
        sending = connect()
        sending.request("PUT /bucket/a", "Content-Length: 100")
        sending.send(b"x")
        sending.socket.close()
    assert connect().ask("GET /bucket/large").headers["content-length"] == str(32 << 20)
    while any(thread.name.startswith("client") for thread in threading.enumerate()) and len(objects()) > 1:
        pass
    assert set(objects()) == {"large"}


def test_large_bodies_are_not_kept_in_memory(wire: Wire) -> None:
    size, block = 300 << 20, b"x" * (1 << 20)
    before = resident()
    wire.request("PUT /bucket/large", f"Content-Length: {size}")
    for _ in range(size // len(block)):
        wire.send(block)
    assert wire.reply().status == 200
    wire.request("GET /bucket/large")
    received = 0
    while received < size:
        received += len(wire.socket.recv(1 << 20))
    assert resident() - before < 100 << 20


def resident() -> int:
    """Return the most memory that this process has had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def test_the_end_lets_a_request_come_to_its_end(session_services: dict[str, Callable[[Request], Response]]) -> None:
    started, may_end = threading.Event(), threading.Event()

    def slow(_: Request) -> Response:
        started.set()
        may_end.wait()
        return Response(body=b"done")

    server = Server({**session_services, "s3": slow})
    with Wire(server.port) as wire, Wire(server.port) as idle:
        wire.request("GET /")
        started.wait()
        closing = threading.Thread(target=server.close)
        closing.start()
        assert idle.is_closed()
        may_end.set()
        reply = wire.reply()
        assert (reply.body, reply.headers["connection"]) == (b"done", "close")
        closing.join()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
    server.close()


def test_a_port_that_is_taken_is_one_line(server: Server) -> None:
    with pytest.raises(
        LocalError, match=f"cannot serve port {server.port} .* choose another port, or 0 for a free one"
    ):
        Server({}, port=server.port)
    with pytest.raises(LocalError, match="choose one from 0 to 65535"):
        Server({}, port=70000)
