"""Whose process is at the other end of a loopback connection, where the system tells (Linux)."""

import os
from collections.abc import Iterator
from pathlib import Path

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
        self._can_tell = self._user in _users(port, NO_PORT)

    def check(self, client_port: int) -> None:
        """Refuse the processes of other users, root's excepted.

        Raises:
            ServiceError: AccessDenied.
        """
        if self._can_tell and _users(client_port, self._port).isdisjoint({self._user, ROOT}):
            message = "this server is for the user who started it, and for no other user of this machine"
            raise ServiceError("AccessDenied", message, status=403)


def _users(local: int, remote: int) -> set[int]:
    """Return whose sockets are between two ports; a socket that its process has closed is nobody's."""
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
