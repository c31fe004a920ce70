"""Unix sockets: a short path for one, and whether a server answers there."""

import os
import secrets
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from pipelines.local.containers import workplace

# A path may have 108 bytes on Linux and 104 on macOS, with the NUL at its end.
MOST_BYTES = 103
PING = b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class SocketFolder:
    """A private folder for a socket, where paths are short; one whose process was killed goes with other leftovers."""

    def __init__(self) -> None:
        name = f"{workplace.PREFIX}{secrets.token_hex(4)}"
        usual = Path(tempfile.gettempdir(), name, "socket")
        fits = len(os.fsencode(usual)) <= MOST_BYTES
        self.socket = usual if fits else Path("/tmp", name, "socket")  # noqa: S108 made privately
        self._lock: int | None = None

    def make(self) -> None:
        """Make the folder."""
        self._lock = workplace.claim(self.socket.parent)

    def remove(self) -> None:
        """Remove the folder, if there is one."""
        if self._lock is not None:
            shutil.rmtree(self.socket.parent, ignore_errors=True)
            os.close(self._lock)
            self._lock = None


def answers(path: Path, limit: float) -> bool:
    """Tell whether a server at a socket answers GET /ping with 200, within some seconds."""
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.settimeout(limit)
        connection.connect(str(path))
        connection.sendall(PING)
        with connection.makefile("rb") as response:
            return response.readline().split()[1:2] == [b"200"]
    return False
