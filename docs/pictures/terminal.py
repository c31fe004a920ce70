"""A command on a terminal of its own: what it writes, and when."""

import os
import pty
import re
import subprocess
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
COLUMNS = 100
# How a live display goes back to its first line, to draw itself again.
REDRAW = re.compile(r"\r\x1b\[2K(?:\x1b\[1A\x1b\[2K)*")
# What stood on a line that was begun anew.
ERASED = re.compile(r"[^\n]*\r\x1b\[K")
CURSOR = re.compile(r"\x1b\[\?25[lh]|\r")


class FailedCommand(Exception):
    """A command that a picture is to show, and that failed."""


@dataclass(frozen=True)
class Screen:
    """What stands on the terminal from a moment on, in seconds since the first one."""

    at: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """The pieces that a command wrote, escape sequences included, and when each arrived."""

    pieces: tuple[str, ...]
    times: tuple[float, ...]

    def screens(self) -> Iterator[Screen]:
        """Yield the screen after each redrawing of a live display, and the last one."""
        written = "".join(self.pieces)
        ends = [match.start() for match in REDRAW.finditer(written)]
        starts = list(accumulate((len(piece) for piece in self.pieces), initial=0))
        shown = REDRAW.split(written)
        # The live display stands below the first line, which stays.
        heading = shown[0].partition("\n")[0] + "\n" if ends else ""
        for number, (text, end) in enumerate(zip(shown, [*ends, len(written) - 1], strict=True)):
            at = self.times[bisect_right(starts, max(end - 1, 0)) - 1] - self.times[0]
            yield Screen(at, tuple(_clean(heading * (number > 0) + text).rstrip("\n").split("\n")))


def _clean(text: str) -> str:
    return CURSOR.sub("", ERASED.sub("", text))


def record(command: Sequence[str], folder: Path) -> Recording:
    """Run a command in a folder, on a terminal with COLUMNS columns."""
    master, terminal = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    environment = {**kept, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, cwd=folder, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    pieces, times = zip(*_read(master), strict=True)
    os.close(master)
    if process.wait():
        raise FailedCommand(f"{' '.join(command)}: exit code {process.returncode}: {b''.join(pieces).decode()}")
    return Recording(tuple(piece.decode() for piece in pieces), times)


def _read(master: int) -> Iterator[tuple[bytes, float]]:
    """Yield what arrives, at ends of lines only, so that no character and no sequence is cut."""
    rest = b""
    while True:
        try:
            piece = os.read(master, 1 << 16)
        except OSError:  # Linux says so when nobody holds the other end any more.
            piece = b""
        whole, newline, rest = (rest + piece).rpartition(b"\n") if piece else (rest, b"", b"")
        if whole or newline:
            yield whole + newline, time.monotonic()
        if not piece:
            return
