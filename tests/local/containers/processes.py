"""Real processes under test: scripts to run as containers, gates to hold them at, and whether they are gone."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

from pipelines.local.containers.container import Container

PATIENCE_SECONDS = 30.0


def script(folder: Path, source: str, *arguments: str, name: str = "job.py") -> Container:
    """A container that runs a Python script; its tree and log are in a folder."""
    write(folder, source, name)
    return Container(("python3", f"/opt/ml/code/{name}", *arguments), folder / "ml", folder / "log")


def shell(folder: Path, source: str) -> Container:
    """A container that runs a shell script."""
    write(folder, source, "job.sh")
    return Container(("/bin/bash", "/opt/ml/code/job.sh"), folder / "ml", folder / "log")


def write(folder: Path, source: str, name: str) -> None:
    code = folder / "ml" / "code"
    code.mkdir(parents=True, exist_ok=True)
    (code / name).write_text(dedent(source))


class Gate:
    """A pipe in a container's tree: who opens it to read waits until it is opened to write."""

    def __init__(self, tree: Path, name: str = "gate") -> None:
        tree.mkdir(parents=True, exist_ok=True)
        self.path = tree / name
        self.inside = f"/opt/ml/{name}"
        os.mkfifo(self.path)

    def open(self) -> None:
        """Let the one through who waits, or is about to."""
        pipes: list[int] = []

        def is_read() -> bool:
            with suppress(OSError):
                pipes.append(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK))
            return bool(pipes)

        wait_for(is_read)
        os.write(pipes[0], b"go")
        os.close(pipes[0])

    def hear(self) -> str:
        """Wait for what somebody writes to the pipe."""
        heard = bytearray()
        pipe = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(pipe, "rb", buffering=0) as stream:

            def has_come() -> bool:
                heard.extend(stream.read() or b"")
                return bool(heard)

            wait_for(has_come)
        return heard.decode()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one whose status nobody took has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"
