"""This machine's AWS services on a loopback port."""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial

from pipelines.local.api.wire import Answer
from pipelines.local.callers.origin import check_origin
from pipelines.local.callers.peer import Peers
from pipelines.local.errors import LocalError
from pipelines.local.http.connection import Connection

ADDRESS = "127.0.0.1"
BACKLOG = 128
MAX_CONNECTIONS = 128
PATIENCE_SECONDS = 30.0
CLOSE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.1
# Who has just connected, or just got an answer, may be about to send a request.
UNDISTURBED_SECONDS = 1.0


class Server:
    """Answers the clients of one port, each connection in a thread, from when it is made until `close`.

    When there are too many connections, one that waits for a request is closed for the next. A client that sends
    nothing for `patience` seconds is given up. Signatures are not verified: this user's processes may do all.

    Raises:
        LocalError: the port cannot be had.
    """

    def __init__(
        self,
        services: Mapping[str, Answer],
        *,
        port: int = 0,
        patience: float = PATIENCE_SECONDS,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._services = services
        self._patience = patience
        self._max_connections = max_connections
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{ADDRESS}:{self.port}"
        self._peers = Peers(self.port)
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self._connections: dict[socket.socket, Connection] = {}
        self._thread = threading.Thread(target=self._accept, name=f"port {self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more requests, let those that are being answered come to their end, and free the port."""
        self._closing.set()
        with suppress(OSError), socket.create_connection((ADDRESS, self.port), CLOSE_SECONDS):
            self._thread.join(CLOSE_SECONDS)
        self._listener.close()
        with self._changed:
            self._shut_down(socket.SHUT_RD)
            if not self._changed.wait_for(lambda: not self._connections, CLOSE_SECONDS):
                self._shut_down(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                accepted, (_, client_port) = self._listener.accept()
            except OSError:
                # A client that left before it was met, or no free file descriptor: the next one may have more luck.
                if self._closing.wait(LOOK_AGAIN_SECONDS):
                    return
                continue
            if self._closing.is_set():
                accepted.close()
                return
            self._make_room()
            self._start(accepted, client_port)

    def _make_room(self) -> None:
        """Wait until there may be one more connection, closing the one that has been waiting longest for a request."""
        with self._changed:
            while len(self._connections) >= self._max_connections and not self._closing.is_set():
                waiting = {s: c.waiting_since for s, c in self._connections.items() if c.waiting_since is not None}
                longest = min(waiting, key=lambda accepted: waiting[accepted], default=None)
                if longest and time.monotonic() - waiting[longest] > UNDISTURBED_SECONDS:
                    _shut_down(longest, socket.SHUT_RDWR)
                self._changed.wait(LOOK_AGAIN_SECONDS)

    def _start(self, accepted: socket.socket, client_port: int) -> None:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(
            accepted,
            self._services,
            admit=partial(self._admit, cache(partial(self._peers.check, client_port))),
            patience=self._patience,
            is_closing=self._closing.is_set,
        )
        with self._changed:
            self._connections[accepted] = connection
        threading.Thread(
            target=self._serve, args=(accepted, connection), name=f"client of port {self.port}", daemon=True
        ).start()

    def _admit(self, check_peer: Callable[[], None], headers: Mapping[str, str]) -> None:
        check_origin(headers, self.port)
        check_peer()

    def _serve(self, accepted: socket.socket, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            with self._changed:
                del self._connections[accepted]
                accepted.close()
                self._changed.notify_all()

    def _shut_down(self, how: int) -> None:
        for accepted in self._connections:
            _shut_down(accepted, how)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ADDRESS, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        problem = error.strerror or str(error)
        message = f"cannot serve port {port} of {ADDRESS}: {problem}; choose another port, or 0 for a free one"
        raise LocalError(message) from error
    except OverflowError as error:
        listener.close()
        raise LocalError(f"cannot serve port {port}: choose one from 0 to 65535, 0 for a free one") from error
    return listener


def _shut_down(accepted: socket.socket, how: int) -> None:
    with suppress(OSError):
        accepted.shutdown(how)
