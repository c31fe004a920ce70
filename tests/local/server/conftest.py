"""A server on a real port, and clients that speak to it as plainly as a socket does."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from pipelines.local.boto_session import LocalSession
from pipelines.local.server import Server
from pipelines.local.session import session as local_session
from tests.local.documents import BUCKET

LIMIT_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """What the server answered; the names of the headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Incoming(BufferedReader):
    """What a connection brings, for one response after another: what is read ahead of one belongs to the next."""

    def makefile(self, _mode: str) -> "Incoming":
        return self

    def close(self) -> None:
        """Stay open for the next response, which HTTPResponse does not know of."""

    def end(self) -> None:
        super().close()


class Wire:
    """A connection to a server, on which tests send whatever bytes they like."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS)
        self._incoming = Incoming(socket.SocketIO(self.socket, "r"))

    def __enter__(self) -> "Wire":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._incoming.end()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, line: str, *headers: str, body: bytes = b"", host: str | None = None) -> None:
        lines = [f"{line} HTTP/1.1", f"Host: {host or f'127.0.0.1:{self.port}'}", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + body)

    def reply(self, method: str = "GET") -> Reply:
        # All that it wants of a socket is a file.
        response = HTTPResponse(self._incoming, method=method)  # type: ignore[arg-type]
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        body = response.read()
        response.close()
        return Reply(response.status, headers, body)

    def ask(self, line: str, *headers: str, body: bytes = b"", host: str | None = None) -> Reply:
        self.request(line, *headers, body=body, host=host)
        return self.reply(line.partition(" ")[0])

    def is_closed(self) -> bool:
        """Wait for the next byte or the end, and tell whether it is the end."""
        return self._incoming.read(1) == b""


Connect = Callable[[], Wire]


@pytest.fixture
def server(session: LocalSession, root: Path) -> Server:
    """The server of a session, which closes it; there is a bucket."""
    (root / "s3" / BUCKET).mkdir()
    return session.services.serve()


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Return a function that connects to the server."""
    made: list[Wire] = []

    def call() -> Wire:
        made.append(Wire(server.port))
        return made[-1]

    yield call
    for wire in made:
        wire.socket.close()


@pytest.fixture
def wire(connect: Connect) -> Wire:
    """One connection to the server."""
    return connect()


@pytest.fixture
def impatient(session: LocalSession) -> Iterator[Server]:
    """A server of the same services that waits for nobody, and takes four connections."""
    server = Server(session.services.answers, patience=0.3, max_connections=4)
    yield server
    server.close()


@pytest.fixture
def objects(root: Path) -> Callable[[], dict[str, bytes]]:
    """Return a function that tells what the bucket holds; nothing may be left on the way to it."""

    def look() -> dict[str, bytes]:
        assert list((root / "tmp").iterdir()) == []
        bucket = root / "s3" / BUCKET
        return {str(path.relative_to(bucket)): path.read_bytes() for path in bucket.rglob("*") if path.is_file()}

    return look


def plain_environment() -> dict[str, str]:
    """Return this process's environment without AWS and without a proxy."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
    }
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**kept, **nowhere, "PYTHONPATH": str(Path.cwd()), "AWS_EC2_METADATA_DISABLED": "true"}


class Aws:
    """The AWS CLI, with the server as its endpoint."""

    def __init__(self, session: LocalSession, folder: Path) -> None:
        self._environment = {**plain_environment(), **session.services.environment(), "AWS_PAGER": ""}
        self.folder = folder

    def run(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "awscli", *arguments],
            cwd=self.folder,
            env=self._environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )

    def __call__(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def aws(session: LocalSession, server: Server, tmp_path: Path) -> Aws:
    """The AWS CLI, in an empty folder."""
    assert server.url == session.services.environment()["AWS_ENDPOINT_URL"]
    folder = tmp_path / "work"
    folder.mkdir()
    return Aws(session, folder)


@pytest.fixture
def other_session(tmp_path: Path) -> Iterator[LocalSession]:
    """Another session, on a root of its own."""
    made = local_session(tmp_path / "other")
    yield made
    made.close()
