"""Whose a connection is: by asking the system, and by its list of sockets where it cannot be asked."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pipelines.local.callers import peer
from pipelines.local.callers.peer import Peers
from pipelines.local.callers.sock_diag import Owner, owner_of
from pipelines.local.errors import ServiceError
from tests.unprivileged import NOBODY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture(params=["asked", "listed", "not asked again"])
def peers(request: pytest.FixtureRequest, listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> Peers:
    """The clients of a port, on systems that tell in different ways."""

    def refuse(*_: int) -> None:
        raise PermissionError("this system does not tell")

    if request.param == "listed":
        monkeypatch.setattr(peer, "owner_of", refuse)
    made = Peers(listener.getsockname()[1])
    if request.param == "not asked again":
        monkeypatch.setattr(peer, "owner_of", refuse)
    return made


def client_of(listener: socket.socket, address: str = "127.0.0.1") -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family)
    made.connect((address, listener.getsockname()[1]))
    return made


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_ones_own_client_is_answered(peers: Peers, listener: socket.socket, address: str) -> None:
    with client_of(listener, address) as client:
        peers.check(client.getsockname()[1])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_another_users_client_is_refused(peers: Peers, listener: socket.socket, address: str) -> None:
    os.seteuid(NOBODY)
    try:
        client = client_of(listener, address)
    finally:
        os.seteuid(0)
    with client, pytest.raises(ServiceError, match="for no other user"):
        peers.check(client.getsockname()[1])


def test_a_client_that_is_gone_or_never_was_is_refused(peers: Peers, listener: socket.socket) -> None:
    with ExitStack() as left:
        client = left.enter_context(client_of(listener))
        port = client.getsockname()[1]
    for unknown in (port, 1):
        with pytest.raises(ServiceError, match="for no other user"):
            peers.check(unknown)


def test_the_system_tells_the_very_socket(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with client_of(listener) as client:
        own = client.getsockname()[1]
        assert owner_of(own, port) == Owner(os.geteuid(), os.fstat(client.fileno()).st_ino)
        assert owner_of(port, 0) == Owner(os.geteuid(), os.fstat(listener.fileno()).st_ino)
        assert owner_of(own, port + 1 if port < 65535 else port - 1) is None
