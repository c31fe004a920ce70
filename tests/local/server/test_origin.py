"""Whose requests are answered: clients on this machine, and no pages in a browser."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.local.callers.peer import Peers
from pipelines.local.errors import ServiceError
from pipelines.local.server import Server
from tests.local.server.conftest import Wire
from tests.unprivileged import NOBODY

Objects = Callable[[], dict[str, bytes]]


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "s3.localhost", "bucket.s3.localhost"]
)
@pytest.mark.parametrize("with_port", [True, False])
def test_names_of_this_machine_are_answered(wire: Wire, name: str, with_port: bool) -> None:
    host = f"{name}:{wire.port}" if with_port else name
    assert wire.ask("GET /", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "localhost.evil.example:{port}",
        "127.0.0.1.evil.example",
        "evillocalhost:{port}",
        "127.0.0.2",
        "169.254.169.254",
        "localhost:1",
        "localhost:",
        "user@localhost",
        "localhost/",
        "",
    ],
)
def test_other_names_are_refused(wire: Wire, objects: Objects, host: str) -> None:
    reply = wire.ask("PUT /bucket/a", f"Host: {host.format(port=wire.port)}", host="localhost")
    assert reply.status == 400  # Twice is never right.
    fresh = Wire(wire.port)
    with fresh:
        fresh.send(
            f"PUT /bucket/a HTTP/1.1\r\nHost: {host.format(port=wire.port)}\r\nContent-Length: 1\r\n\r\nx".encode()
        )
        reply = fresh.reply()
    assert (reply.status, b"<Code>AccessDenied</Code>" in reply.body) == (403, True)
    assert objects() == {}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:{port}"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "OPTIONS"])
def test_pages_in_a_browser_are_refused(wire: Wire, objects: Objects, origin: str, method: str) -> None:
    reply = wire.ask(f"{method} /bucket/a", f"Origin: {origin.format(port=wire.port)}", body=b"x")
    assert reply.status == 403
    assert not [name for name in reply.headers if name.startswith("access-control")]
    assert objects() == {}


def test_the_bucket_may_stand_in_the_host(wire: Wire, objects: Objects, root: Path) -> None:
    (root / "s3" / "my.bucket").mkdir()
    for number, name in enumerate(["bucket.localhost", "bucket.s3.localhost"]):
        assert wire.ask(f"PUT /a/{number}", host=f"{name}:{wire.port}", body=b"x").status == 200
        assert wire.ask(f"GET /a/{number}", host=f"{name}:{wire.port}").body == b"x"
    assert wire.ask("PUT /b", host="my.bucket.s3.localhost", body=b"y").status == 200
    assert wire.ask("GET /my.bucket/b", host="s3.localhost").body == b"y"
    assert set(objects()) == {"a/0", "a/1"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_other_users_of_this_machine_are_refused(server: Server, objects: Objects) -> None:
    os.seteuid(NOBODY)
    try:
        foreign = Wire(server.port)
    finally:
        os.seteuid(0)
    with foreign:
        assert foreign.ask("PUT /bucket/a", body=b"x").status == 403
    assert objects() == {}
    with Wire(server.port) as own:
        assert own.ask("PUT /bucket/a", body=b"x").status == 200
    assert set(objects()) == {"a"}


def test_a_client_that_is_gone_before_it_is_seen_is_refused(session_port: int, objects: Objects) -> None:
    peers = Peers(session_port)
    with Wire(session_port) as wire:
        client_port = wire.socket.getsockname()[1]
        peers.check(client_port)
        wire.send(b"PUT /bucket/a HT")
    with pytest.raises(ServiceError, match="for no other user"):
        peers.check(client_port)
    assert objects() == {}


@pytest.fixture
def session_port(server: Server) -> int:
    return server.port


def test_only_the_loopback_address_is_served(server: Server) -> None:
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = [entry[1] for entry in listening if entry[3] == "0A" and entry[1].endswith(f":{server.port:04X}")]
    assert addresses == [f"0100007F:{server.port:04X}"]
