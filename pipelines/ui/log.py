"""The end of a log that may be long, as text of its layout."""

import os
import re
from dataclasses import dataclass

from pipelines.delivery.logs import open_log

BYTES = 48 * 1024
LINES = 500
LONGEST_LINE = 2_000
# What acts on a terminal: colours, the place of the cursor.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


@dataclass(frozen=True)
class Log:
    """A log's last lines; is_cut tells that it has more before them, the problem why there are none."""

    place: str
    text: str = ""
    is_cut: bool = False
    problem: str | None = None


def read_log(place: str) -> Log:
    """Return the end of a file; of one that is long, no more than its end is read."""
    try:
        with open_log(place) as file:
            start = max(0, os.fstat(file.fileno()).st_size - BYTES)
            file.seek(start)
            content = file.read(BYTES)
    except FileNotFoundError:
        return Log(place, problem="nothing was written yet")
    except OSError as error:
        return Log(place, problem=f"cannot be read: {error.strerror}")
    lines = content.decode(errors="replace").removesuffix("\n").split("\n")
    if start and len(lines) > 1:
        # It begins in the middle of a line.
        del lines[0]
    text = "\n".join(_clean(line) for line in lines[-LINES:])
    return Log(place, text, bool(start) or len(lines) > LINES, None if text else "is empty")


def _clean(line: str) -> str:
    # A bar of progress writes over its line again and again: what was seen last counts.
    line = _ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2])
    shown = "".join(
        letter if letter.isprintable() or letter == "\t" else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
    return shown if len(shown) <= LONGEST_LINE else f"{shown[: LONGEST_LINE - 1]}…"
