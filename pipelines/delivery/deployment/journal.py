"""What a person sees of a deployment while it goes on, and the changes that it made."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from pipelines.delivery.progress import is_interactive
from pipelines.delivery.wording import duration, one_line, shortened

_CLEAR = "\r\x1b[K"


class Journal:
    """A line with the time since the start for each event; on a terminal, the last line counts on while one waits."""

    def __init__(
        self,
        out: TextIO,
        *,
        clock: Callable[[], float] = time.monotonic,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._out = out
        self._clock = clock
        self._began = clock()
        self._status = ""
        self.is_interactive = is_interactive(out, environment)
        self.changes: list[str] = []

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return self._clock() - self._began

    def say(self, text: str) -> None:
        """Print a line."""
        self._erase()
        print(f"{duration(self.seconds):>9}  {one_line(text)}", file=self._out, flush=True)

    def change(self, text: str) -> None:
        """Print a line on something that was made, changed or removed, and keep it."""
        self.changes.append(text)
        self.say(text)

    def status(self, text: str) -> None:
        """Say what is waited for: again and again on a terminal, elsewhere when it is news."""
        if self.is_interactive:
            # A line that wraps could not be erased.
            line = shortened(f"{duration(self.seconds):>9}  {one_line(text)}", shutil.get_terminal_size().columns - 1)
            self._out.write(f"{_CLEAR}{line}")
            self._out.flush()
        elif text != self._status:
            self.say(text)
        self._status = text

    def close(self) -> None:
        """Leave the terminal at the beginning of a line."""
        self._erase()

    def _erase(self) -> None:
        if self.is_interactive and self._status:
            self._out.write(_CLEAR)
            self._out.flush()
            self._status = ""
