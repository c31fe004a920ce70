"""One production variant of an endpoint, and the model server that answers for it."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pipelines.local.database import Document
from pipelines.local.errors import LocalError

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
# A server that lived that long was no failure to start.
SOUND_SECONDS = 10.0
CANNOT_START = "there is no model server for variant "


class Server(Protocol):
    """A model's container, as pipelines.local.serving has it: HTTP on a unix socket."""

    socket: Path

    def start(self) -> None:
        """Start it, and wait until it answers."""

    def is_alive(self) -> bool:
        """Tell whether it still runs."""

    def stop(self) -> None:
        """Let the requests in flight finish, and end it."""


Serve = Callable[[Document], Server]


class Variant:
    """A production variant; its server is started in a thread, and again when it dies, less and less eagerly."""

    def __init__(self, config: Document, serve: Serve) -> None:
        self.name: str = config["VariantName"]
        self.weight = float(config.get("InitialVariantWeight", 1.0))
        self.instances = int(config.get("InitialInstanceCount", 1))
        self.failure: str | None = None
        self.lasting_failure: str | None = None
        self._config = config
        self._serve = serve
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._candidate: Server | None = None
        self._dead: Server | None = None
        self._starting: threading.Thread | None = None
        self._is_stopped = False
        self._started = self._not_before = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    @property
    def socket(self) -> Path | None:
        """Where its server answers; None while there is none."""
        server = self._server
        return server.socket if server else None

    @property
    def is_alive(self) -> bool:
        """Whether its server runs."""
        server = self._server
        return server is not None and server.is_alive()

    def keep(self) -> None:
        """Start the server, if there is none or it has died; returns at once."""
        with self._lock:
            if self._is_stopped or self._starting:
                return
            if self._server:
                if self._server.is_alive():
                    return
                self._bury(self._server)
            if time.monotonic() < self._not_before:
                return
            self._starting = threading.Thread(target=self._start, name=f"start of {self.name}", daemon=True)
            self._starting.start()

    def _bury(self, dead: Server) -> None:
        logger.warning("variant %s: its model server ended; it is started again", self.name)
        self._server, self._dead = None, dead
        if time.monotonic() - self._started > SOUND_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS

    def stop(self) -> None:
        """End the server, and one that is being started."""
        with self._lock:
            self._is_stopped = True
            starting, candidate = self._starting, self._candidate
        if candidate:
            candidate.stop()
        if starting:
            starting.join()
        left, self._server, self._dead = (self._server, self._dead), None, None
        for server in filter(None, left):
            server.stop()

    def _start(self) -> None:
        self._not_before = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        try:
            dead, self._dead = self._dead, None
            if dead:
                dead.stop()
            server = self._take(self._serve(self._config))
            server.start()
        except Exception as error:
            # Whatever it was, somebody waits for this thread's result.
            is_known = isinstance(error, LocalError)
            logger.warning("variant %s: no model server: %s", self.name, error, exc_info=not is_known)
            self._fail(str(error) or type(error).__name__)
        else:
            self._started, self._server = time.monotonic(), server
            self.failure = self.lasting_failure = None
            logger.info("variant %s: its model server answers", self.name)
        with self._lock:
            self._starting = self._candidate = None

    def _fail(self, reason: str) -> None:
        # A single failure may be of the moment, such as a process that was killed while it started.
        if self.failure:
            self.lasting_failure = f"{CANNOT_START}{self.name}: {reason}"
        self.failure = reason

    def _take(self, candidate: Server) -> Server:
        """Let `stop` reach a server that is to be started.

        Raises:
            LocalError: it came before.
        """
        with self._lock:
            if self._is_stopped:
                raise LocalError("it was stopped before it was started")
            self._candidate = candidate
        return candidate
