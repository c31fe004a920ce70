"""Whose process is at the other end of a loopback connection, where the system tells (Linux)."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pipelines.local.callers.sock_diag import owner_of
from pipelines.local.errors import ServiceError

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LOCAL, REMOTE, USER, INODE = 1, 2, 7, 9
ROOT = 0
NO_PORT = 0
# The system may leave out a row while others come and go.
ATTEMPTS = 20


class Peers:
    """The clients of a listening port; those of other users of this machine are told from one's own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._user = os.geteuid()
        # A system that does not show one's own port does not show its clients either.
        self._can_ask = sys.platform == "linux" and self._user in (_asked(port, NO_PORT) or ())
        self._can_tell = self._can_ask or self._user in _listed(port, NO_PORT)

    def check(self, client_port: int) -> None:
        """Refuse the processes of other users, root's excepted.

        Raises:
            ServiceError: AccessDenied.
        """
        if self._can_tell and self._users(client_port).isdisjoint({self._user, ROOT}):
            message = "this server is for the user who started it, and for no other user of this machine"
            raise ServiceError("AccessDenied", message, status=403)

    def _users(self, client_port: int) -> set[int]:
        users = _asked(client_port, self._port) if self._can_ask else None
        return _listed(client_port, self._port) if users is None else users


def _asked(local: int, remote: int) -> set[int] | None:
    """Return whose the socket between two ports is, nobody's if its process has closed it; None if that is not told."""
    try:
        owner = owner_of(local, remote)
    except OSError:
        return None
    return {owner.user} if owner and owner.inode else set()


def _listed(local: int, remote: int) -> set[int]:
    """Return the same from the system's list of all sockets, which takes milliseconds where there are many."""
    for _ in range(ATTEMPTS):
        found = [
            row for row in _rows() if row[LOCAL].endswith(f":{local:04X}") and row[REMOTE].endswith(f":{remote:04X}")
        ]
        if found:
            return {int(row[USER]) for row in found if row[INODE] != "0"}
    return set()


def _rows() -> Iterator[list[str]]:
    for table in TABLES:
        if table.exists():
            yield from (line.split() for line in table.read_text().splitlines()[1:])
