"""The processes of endpoints, as whoever needs one starts it: detached, so that it outlives that."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGES = Path(__file__).parents[3]
MODULE = "pipelines.local.hosting.process"
# The shell leaves at once, and what it has started in the background belongs to init from then on.
DETACH = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
ATTEMPTS = 2


class CannotStart(Exception):
    """A process that has ended each time before it took over its endpoint; the message is its last words."""


@dataclass
class _Attempts:
    """How often a process was started since the endpoint had its last owner, and the one that was started last."""

    owner: str | None
    count: int = 0
    pid: int = 0


class Starter:
    """Starts the processes of endpoints below a root folder, each only while none that it started is on its way."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._attempts: dict[str, _Attempts] = {}

    def start(self, name: str, last_owner: str | None) -> None:
        """Start the process of an endpoint, whose last owner is known to be dead.

        Raises:
            CannotStart: there is no point in it.
        """
        with self._lock:
            attempts = self._attempts.get(name)
            if attempts is None or attempts.owner != last_owner:
                attempts = self._attempts[name] = _Attempts(last_owner)
            if attempts.pid and _is_running(attempts.pid):
                return
            if attempts.count == ATTEMPTS:
                del self._attempts[name]
                raise CannotStart(_last_words(log_of(self._root, name)))
            attempts.count += 1
            attempts.pid = _detach(self._root, name)


def log_of(root: Path, name: str) -> Path:
    """Return where the process of an endpoint writes what happens."""
    return root / "logs" / "aws" / "sagemaker" / "Endpoints" / name / "endpoint.log"


def _detach(root: Path, name: str) -> int:
    """Start a process in a session of its own, which no signal of a terminal reaches; return its id."""
    log = log_of(root, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-P", "-m", MODULE, str(root), name]
    done = subprocess.run(
        ["/bin/sh", "-c", DETACH, "sh", str(log), *command],
        check=True,
        env=_environment(os.environ),
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    return int(done.stdout)


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(PACKAGES), environment.get("PYTHONPATH")]))
    return {**environment, "PYTHONPATH": path}


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
