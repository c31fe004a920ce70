"""A transform job's requests to its model server, several at once and none beyond the job's end."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipelines.local.containers.stop import Stop

FIRST_PAUSE_SECONDS = 0.1
REASON_CHARACTERS = 500


class InvocationFailed(Exception):
    """A request without success: `kind` is ClientError or AlgorithmError, the message the answer's or what happened."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ModelClient:
    """Sends requests to the unix socket of a model server; once it is stopped, what is under way fails."""

    def __init__(self, path: Path, headers: Mapping[str, str], *, timeout: float, retries: int, stop: Stop) -> None:
        self._path = path
        self._headers = headers
        self._timeout = timeout
        self._retries = retries
        self._stop = stop
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def invoke(self, body: bytes) -> bytes:
        """Return the model's answer; a request that breaks, times out or fails with a 5xx is sent again.

        Raises:
            InvocationFailed: the model refused it, or no attempt succeeded.
        """
        for attempt in range(self._retries + 1):
            try:
                status, content = self._request("POST", "/invocations", body)
                reason = f"{status}: {_line(content)}"
            except (OSError, http.client.HTTPException) as error:
                status, reason = 0, self._broken(error)
            if status == http.client.OK:
                return content
            if http.client.BAD_REQUEST <= status < http.client.INTERNAL_SERVER_ERROR:
                raise InvocationFailed("ClientError", reason)
            if self._stop.wait(FIRST_PAUSE_SECONDS * 2**attempt if attempt < self._retries else 0):
                break
        raise InvocationFailed("AlgorithmError", reason)

    def execution_parameters(self) -> Mapping[str, Any]:
        """Return what the container says of batches and concurrency; nothing if it does not."""
        try:
            status, content = self._request("GET", "/execution-parameters", b"")
            found = json.loads(content) if status == http.client.OK else {}
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def close(self) -> None:
        """Break every request that is under way."""
        with self._lock:
            for connected in self._open:
                # The thread that waits for the answer is woken, and closes it; the other end may have done so before.
                with suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)

    def _request(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        with self._connection() as connection:
            connection.request(method, path, body or None, dict(self._headers))
            response = connection.getresponse()
            return response.status, response.read()

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("localhost", timeout=self._timeout)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connected:
            connected.settimeout(self._timeout)
            connected.connect(str(self._path))
            connection.sock = connected
            with self._lock:
                self._open.add(connected)
            try:
                if self._stop.is_set():
                    raise ConnectionAbortedError("the job was stopped")
                yield connection
            finally:
                with self._lock:
                    self._open.discard(connected)

    def _broken(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return (
                f"the model did not answer within {self._timeout:g} s (ModelClientConfig.InvocationsTimeoutInSeconds)"
            )
        return f"the model's container broke the connection, see its log: {error}"


def _line(content: bytes) -> str:
    """Return a response's text on one line."""
    return " ".join(content.decode(errors="replace").split())[:REASON_CHARACTERS] or "no reason was given"
