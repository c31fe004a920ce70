"""A model's server without a model: HTTP on a unix socket, as a test says."""

import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

from pipelines.local.errors import LocalError
from pipelines.local.hosting.fleet import Fleet

Reply = tuple[int, bytes]
Script = Callable[[bytes], Reply]


class HangUp(Exception):
    """What a script raises to break the connection off without a response, but perhaps with something else."""

    def __init__(self, said: bytes = b"") -> None:
        super().__init__()
        self.said = said


class Handler(BaseHTTPRequestHandler):
    """One connection to a backend."""

    protocol_version = "HTTP/1.1"
    server: "Listening"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            status, content = self.server.backend.reply(self.headers, body)
        except HangUp as hang_up:
            self.wfile.write(hang_up.said)
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
        """Keep quiet."""


class Listening(ThreadingMixIn, UnixStreamServer):
    """The socket of a backend, and its open connections."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, backend: "Backend") -> None:
        self.backend = backend
        self.open: set[socket.socket] = set()
        super().__init__(str(backend.socket), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about connections that a test has broken."""


class Backend:
    """A server as a fleet wants it; `script` answers its requests, `start` fails with what `problem` says."""

    def __init__(self, script: Script, problem: str | None = None) -> None:
        self.socket = Path(tempfile.mkdtemp(prefix="backend-"), "socket")
        self.script = script
        self.problem = problem
        self.headers: list[dict[str, str]] = []
        self._server: Listening | None = None
        self._thread: threading.Thread | None = None

    def reply(self, headers: Any, body: bytes) -> Reply:
        self.headers.append({name.lower(): value for name, value in headers.items()})
        return self.script(body)

    def start(self) -> None:
        if self.problem:
            raise LocalError(self.problem)
        self._server = Listening(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def is_alive(self) -> bool:
        return self._server is not None

    def kill(self) -> None:
        """End at once, with all connections, as when a process is killed."""
        server, self._server = self._server, None
        if server and self._thread:
            server.shutdown()
            server.server_close()
            for connection in list(server.open):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._thread.join()

    def stop(self) -> None:
        self.kill()
        self.socket.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            self.socket.parent.rmdir()


class Backends:
    """Makes the backends of a test, by the name of their models, and ends them."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.problems: dict[str, str] = {}
        self.made: dict[str, list[Backend]] = {}

    def serve(self, variant: dict[str, Any]) -> Backend:
        """Return a new backend of a production variant."""
        name = variant["ModelName"]
        backend = Backend(self.scripts.get(name, says(name)), self.problems.get(name))
        self.made.setdefault(name, []).append(backend)
        return backend

    def latest(self, name: str) -> Backend:
        return self.made[name][-1]

    def fleet(self, *models: str, weights: tuple[float, ...] = ()) -> Fleet:
        """Return a fleet whose variants have the names of their models."""
        return Fleet(config("config-of-" + "-".join(models), *models, weights=weights), self.serve)

    def stop(self) -> None:
        for backends in self.made.values():
            for backend in backends:
                backend.stop()


def config(name: str, *models: str, weights: tuple[float, ...] = ()) -> dict[str, Any]:
    """Return an endpoint config with a variant for each model, of the same name."""
    variants = [
        {"VariantName": model, "ModelName": model, "InitialInstanceCount": 1, "InitialVariantWeight": weight}
        for model, weight in zip(models, weights or (1.0,) * len(models), strict=True)
    ]
    return {"EndpointConfigName": name, "ProductionVariants": variants}


def says(text: str, status: int = 200) -> Script:
    """Return a script that says always the same."""
    return lambda _: (status, text.encode())
