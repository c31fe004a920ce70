"""Ctrl-C and SIGTERM: the first asks, the second leaves at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# The exit code of a command that is interrupted before there is a run.
INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LEAVING = b"\nleft at once: what was running may go on\n"
_SHOW_CURSOR = b"\x1b[?25h"


def listen() -> None:
    """Let SIGTERM interrupt this process as Ctrl-C does, until a run is there to be stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Give an event that the first signal sets; while it is open, the second one ends this process."""
    event = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if event.is_set():
            _leave(number)
        event.set()

    if threading.current_thread() is not threading.main_thread():
        yield event  # Only the main thread may set handlers; elsewhere nobody can press Ctrl-C.
        return
    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int) -> None:
    # No Python code may run any more, for it could wait for the very jobs that the person gave up on.
    if sys.stdout.isatty():
        os.write(1, _SHOW_CURSOR)
    os.write(2, _LEAVING)
    os._exit(128 + number)
