"""A database that is made whole or not at all, by one process at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_UNFINISHED = ".new"


def make_database(path: Path, make: Callable[[Path], None]) -> None:
    """Have a database made beside its path and renamed when it is whole, unless there is one.

    Who comes meanwhile waits; what a killed process left is removed.
    """
    if path.exists():
        return
    with locked(path.parent):
        if path.exists():
            return
        unfinished = path.with_name(f"{path.name}{_UNFINISHED}")
        # A journal of before would be played back into the new file.
        for name in (unfinished.name, f"{unfinished.name}-journal"):
            path.with_name(name).unlink(missing_ok=True)
        make(unfinished)
        unfinished.rename(path)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which leaves nothing behind; the kernel frees that of a process that was killed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
