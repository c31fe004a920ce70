"""The machine's side of the containers: starts them, ends them, and tells how they ended."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pipelines.local.containers.connection import Connection, Run
from pipelines.local.containers.container import OPT_ML, Container, Exit
from pipelines.local.containers.files import remove_tree, tail
from pipelines.local.containers.stop import Stop

Ended = Literal["exited", "stopped", "timed out"]

HINT_TAIL_BYTES = 1 << 16
NO_NAMESPACES = (
    f"this machine has no mount namespaces, so nothing is at {OPT_ML}: "
    "take paths from SM_* variables or arguments instead"
)


class Host:
    """Runs containers as processes of this machine, many at once, through one warm server process.

    `isolate=False` does without mount namespaces, as on machines that have none. A container that must end gets
    SIGTERM, and SIGKILL `grace` seconds later.
    """

    def __init__(self, *, isolate: bool = True, grace: float = 5.0) -> None:
        self._isolate = isolate
        self._grace = grace
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def start(self) -> None:
        """Start the server process, if it is not running, and return at once; it imports in the background."""
        self._connect()

    def _connect(self) -> Connection:
        with self._lock:
            if self._connection is None or self._connection.is_closed():
                self._connection = Connection(isolate=self._isolate)
            return self._connection

    def run(self, container: Container, stop: Stop) -> Exit:
        """Run a container to its end; many threads may do so at once.

        Raises:
            OSError: the machine cannot start it, as when the disk is full.
        """
        if stop.is_set():
            return Exit(-signal.SIGTERM, "stopped", 0.0)
        container.log.parent.mkdir(parents=True, exist_ok=True)
        with scratch_of(container) as scratch:
            message = message_of(container, scratch)
            connection, run = self._submit(message)
            ended = self._wait(connection, run, container.time_limit, stop)
        return Exit(run.status or 0, ended, run.seconds, run.lost or hint_of(container, run))

    def _submit(self, message: dict[str, Any]) -> tuple[Connection, Run]:
        for _ in range(2):
            connection = self._connect()
            run = connection.submit(message)
            run.wait_until(run.is_started)
            if run.is_started() or not run.lost:
                break
        return connection, run

    def _wait(self, connection: Connection, run: Run, limit: float | None, stop: Stop) -> Ended:
        with stop.on_set(run.wake):
            run.wait_until(lambda: run.is_ended() or stop.is_set(), limit)
            if run.is_ended():
                return "exited"
            ended: Ended = "stopped" if stop.is_set() else "timed out"
            connection.signal(run, signal.SIGTERM)
            if not run.wait_until(run.is_ended, self._grace):
                connection.signal(run, signal.SIGKILL)
                run.wait_until(run.is_ended)
        return ended

    def close(self) -> None:
        """End the server and every container that still runs."""
        with self._lock:
            if self._connection:
                self._connection.close()
                self._connection = None


@contextmanager
def scratch_of(container: Container) -> Iterator[Path]:
    """Make the folder for a container's home and temporary files, and remove it afterwards."""
    scratch = container.tree.with_name(f"{container.tree.name}.tmp")
    if scratch.exists():
        remove_tree(scratch)
    scratch.mkdir(parents=True)
    try:
        yield scratch.absolute()
    finally:
        remove_tree(scratch)


def message_of(container: Container, scratch: Path) -> dict[str, Any]:
    """Return what the server needs to know to start a container."""
    return {
        "command": list(container.entrypoint),
        "environment": dict(container.environment),
        "tree": str(container.tree.absolute()),
        "scratch": str(scratch),
        "log": str(container.log.absolute()),
        "cpus": container.cpus,
        "folder": container.working_folder,
        "library": container.library,
    }


def hint_of(container: Container, run: Run) -> str | None:
    """Return why a container may have failed on this machine, of all machines."""
    failed_blind = run.status and not run.isolated and OPT_ML in tail(container.log, HINT_TAIL_BYTES)
    return NO_NAMESPACES if failed_blind else None
