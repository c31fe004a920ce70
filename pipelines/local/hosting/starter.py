"""The processes of endpoints, as whoever needs one starts it: detached, so that it outlives that."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.local.hosting.logs import log_of

PACKAGES = Path(__file__).parents[3]
MODULE = "pipelines.local.hosting.process"
# The shell leaves at once, and what it has started in the background belongs to init from then on.
DETACH = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 &'
ATTEMPTS = 2


class CannotStart(Exception):
    """A process that has ended each time before it took over its endpoint."""


@dataclass
class _Attempts:
    """How often a process was started since an endpoint had its last owner."""

    owner: str | None
    count: int = 0


class Starter:
    """Starts the processes of endpoints below a root folder, each only when there is none, nor one on its way."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._attempts: dict[str, _Attempts] = {}

    def start(self, name: str, last_owner: str | None) -> None:
        """Start the process of an endpoint, whose last owner is known to be dead.

        Raises:
            CannotStart: it was tried before, in vain.
        """
        with self._lock, _alone(lock_of(self._root, name)) as descriptor:
            if descriptor is None:
                return
            attempts = self._attempts.get(name)
            if attempts is None or attempts.owner != last_owner:
                attempts = self._attempts[name] = _Attempts(last_owner)
            if attempts.count == ATTEMPTS:
                del self._attempts[name]
                words = _last_words(log_of(self._root, name))
                raise CannotStart(f"the endpoint's process ends as soon as it is started: {words}")
            attempts.count += 1
            _detach(self._root, name, descriptor)


def lock_of(root: Path, name: str) -> Path:
    """Return the file that is locked from the start of an endpoint's process to its end."""
    return root / "owners" / f"endpoint-{name}.lock"


@contextmanager
def _alone(path: Path) -> Iterator[int | None]:
    """Yield a descriptor whose lock lives as long as any process that inherits it; None while one does."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file.fileno()


def _detach(root: Path, name: str, descriptor: int) -> None:
    """Start a process that inherits a descriptor, in a session of its own, which no signal of a terminal reaches."""
    log = log_of(root, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-P", "-m", MODULE, str(root), name]
    subprocess.run(
        ["/bin/sh", "-c", DETACH, "sh", str(log), *command],
        check=True,
        env=_environment(os.environ),
        cwd=root,
        pass_fds=[descriptor],
        start_new_session=True,
    )


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(PACKAGES), environment.get("PYTHONPATH")]))
    return {**environment, "PYTHONPATH": path}


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
