"""The wire between this process and the warm server."""

import itertools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from pipelines.local.containers.workplace import PREFIX

SERVER = Path(__file__).with_name("server.py")
# All that the server, and so any job, can see of this process's environment.
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
CLOSE_SECONDS = 5.0
ERROR_TAIL_CHARACTERS = 300


class Run:
    """What is known of one started process; threads wait on it for more."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid: int | None = None
        self.isolated = True
        self.status: int | None = None
        self.lost: str | None = None
        self.seconds = 0.0
        self._started = time.monotonic()
        self._changed = threading.Condition()

    def is_started(self) -> bool:
        """Tell whether there is, or was, a process."""
        return self.pid is not None

    def is_ended(self) -> bool:
        """Tell whether the process has ended or was lost."""
        return self.status is not None

    def wait_until(self, condition: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait for a condition, for some seconds or until the run has ended; return the condition."""
        with self._changed:
            self._changed.wait_for(lambda: condition() or self.is_ended(), timeout)
            return condition()

    def wake(self) -> None:
        """Let those who wait look at their conditions again."""
        with self._changed:
            self._changed.notify_all()

    def start(self, pid: int, *, isolated: bool) -> None:
        """Note that the process was started."""
        with self._changed:
            self._started = time.monotonic()
            self.pid, self.isolated = pid, isolated
            self._changed.notify_all()

    def end(self, status: int, lost: str | None = None) -> None:
        """Note how the process ended."""
        with self._changed:
            self.seconds = time.monotonic() - self._started
            self.status, self.lost = status, lost
            self._changed.notify_all()


class Runs:
    """The runs of one server, until it ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._runs: dict[int, Run] = {}
        self._closed: str | None = None

    def is_closed(self) -> bool:
        """Tell whether the server has ended."""
        return self._closed is not None

    def add(self) -> Run:
        """Make a new run; if the server has ended, it is lost already."""
        with self._lock:
            run = Run(next(self._numbers))
            if self._closed is None:
                self._runs[run.number] = run
        if self._closed is not None:
            run.end(-signal.SIGKILL, self._closed)
        return run

    def listen(self, lines: Iterable[bytes]) -> None:
        """Take in the server's messages until there are no more."""
        with suppress(OSError):
            for line in lines:
                message = json.loads(line)
                if "started" in message:
                    self._runs[message["started"]].start(message["pid"], isolated=message["isolated"])
                else:
                    self._runs.pop(message["ended"]).end(message["status"])

    def close(self, reason: str) -> None:
        """Kill what still runs, and mark it as lost for a reason."""
        with self._lock:
            self._closed = reason
            runs = list(self._runs.values())
            self._runs.clear()
        for run in runs:
            if run.pid is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(run.pid, signal.SIGKILL)
            run.end(-signal.SIGKILL, reason)


class Connection:
    """A running server process and the runs in it."""

    def __init__(self, *, isolate: bool) -> None:
        self._socket, theirs = socket.socketpair()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 the thread that listens closes it
        self._runs = Runs()
        self._sending = threading.Lock()
        # On the jobs' PATH, where shell scripts call programs without quotes.
        parent = tempfile.gettempdir() if len(tempfile.gettempdir().split()) == 1 else "/tmp"  # noqa: S108 made privately
        tools = Path(parent, f"{PREFIX}{secrets.token_hex(4)}")
        with theirs:
            self._process = spawn(theirs, tools, self._errors, isolate=isolate)
        parts = (self._socket.makefile("rb"), self._runs, self._process, self._errors, tools)
        # The thread holds no reference to this object, so that the finalizer works.
        threading.Thread(target=listen, args=parts, name="container-host", daemon=True).start()
        self._finalizer = weakref.finalize(self, end_server, os.getpid(), self._socket, self._process, tools)

    def is_closed(self) -> bool:
        """Tell whether the server has ended."""
        return self._runs.is_closed()

    def submit(self, message: dict[str, Any]) -> Run:
        """Ask the server to start a process."""
        run = self._runs.add()
        self._send({"start": run.number, **message})
        return run

    def signal(self, run: Run, number: int) -> None:
        """Send a signal to a run's whole process group."""
        self._send({"signal": run.number, "number": number})

    def _send(self, message: dict[str, Any]) -> None:
        # A server that is gone is noticed by the thread that listens.
        with self._sending, suppress(OSError):
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        """End the server, which ends every run."""
        self._finalizer()


def spawn(connection: socket.socket, tools: Path, errors: IO[bytes], *, isolate: bool) -> subprocess.Popen[bytes]:
    """Start a server at the other end of a socket, away from this terminal's signals."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    options = [] if isolate else ["--no-namespaces"]
    command = [sys.executable, "-P", str(SERVER), str(connection.fileno()), str(tools), *options]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
        pass_fds=[connection.fileno()],
        env={**environment, "LANG": "C.UTF-8"},
        start_new_session=True,
    )


def listen(lines: IO[bytes], runs: Runs, process: subprocess.Popen[bytes], errors: IO[bytes], tools: Path) -> None:
    """Take in messages until the server ends, then find out why it did."""
    with lines, errors:
        runs.listen(lines)
        try:
            code = process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        # The server does so itself, unless it was killed.
        shutil.rmtree(tools, ignore_errors=True)
        errors.seek(0)
        said = errors.read().decode("utf-8", errors="replace").strip()[-ERROR_TAIL_CHARACTERS:]
    reason = f"the server process of this machine's jobs ended (exit code {code})"
    runs.close(f"{reason}: {said}" if said else reason)


def end_server(owner: int, connection: socket.socket, process: subprocess.Popen[bytes], tools: Path) -> None:
    """Close the connection, on which the server ends; not in a fork of the process that owns it."""
    if os.getpid() != owner:
        return
    # A server that is loading libraries looks at its connection only now and then.
    process.terminate()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
    try:
        process.wait(CLOSE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # The thread that listens may not come to it, when this process ends.
    shutil.rmtree(tools, ignore_errors=True)
