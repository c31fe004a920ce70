"""HTTP connections to endpoints on this machine, kept for the next request."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

MAX_IDLE = 32


class NoReply(Exception):
    """A request that came to nobody, or broke off before there was a response."""


@dataclass(frozen=True)
class Call:
    """A request to an endpoint."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """What an endpoint answered; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """Connections for any number of threads, to any number of endpoints; they wait `patience` seconds for each byte."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._idle: dict[str, list[HTTPConnection]] = defaultdict(list)

    def send(self, call: Call, limit: int) -> Reply:
        """Send a request and return its reply, of whose body no more than `limit` bytes are read.

        Raises:
            NoReply: nobody answers there.
            TimeoutError: the reply does not come in time.
        """
        host = urlsplit(call.url).netloc
        kept = self._take(host)
        if kept is not None:
            # The other end may have given this one up long ago, which says nothing about a new one.
            with suppress(NoReply):
                return self._exchange(kept, call, limit)
        return self._exchange(HTTPConnection(host, timeout=self._patience), call, limit)

    def close(self) -> None:
        """Close the connections that wait for the next request."""
        with self._lock:
            idle = [connection for some in self._idle.values() for connection in some]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _take(self, host: str) -> HTTPConnection | None:
        with self._lock:
            idle = self._idle[host]
            return idle.pop() if idle else None

    def _exchange(self, connection: HTTPConnection, call: Call, limit: int) -> Reply:
        is_kept = False
        try:
            connection.request(call.method, urlsplit(call.url).path, call.body, dict(call.headers))
            response = connection.getresponse()
            body = response.read(limit)
            headers = {name.lower(): value for name, value in response.getheaders()}
            # What was not read to its end would be taken for the next reply.
            is_kept = response.isclosed() and not response.will_close and self._keep(connection)
            return Reply(response.status, headers, body)
        except TimeoutError:
            raise
        except (OSError, HTTPException) as error:
            raise NoReply(f"{type(error).__name__}: {error}") from error
        finally:
            if not is_kept:
                connection.close()

    def _keep(self, connection: HTTPConnection) -> bool:
        with self._lock:
            idle = self._idle[f"{connection.host}:{connection.port}"]
            if len(idle) < MAX_IDLE:
                idle.append(connection)
                return True
            return False
