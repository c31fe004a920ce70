"""Who runs what: a lock file that lives exactly as long as the process that holds it."""

import fcntl
import os
import secrets
import weakref
from pathlib import Path


class Ownership:
    """A session's lock file in a folder; the kernel frees the lock when the process ends, however it ends.

    `release` gives the ownership up; so does the end of this object.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.owner = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._remove_leftovers()
        path = self._path(self.owner)
        # Locked before it has its name, so that nobody ever finds it unlocked.
        unlocked = path.with_suffix(".new")
        descriptor = os.open(unlocked, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        unlocked.rename(path)
        self.release = weakref.finalize(self, _release, descriptor, path)

    def is_alive(self, owner: str) -> bool:
        """Tell whether the process of an owner still runs; the lock file of one that does not is removed."""
        if owner == self.owner:
            return True
        try:
            file = self._path(owner).open("r", encoding="ascii")
        except FileNotFoundError:
            return False
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            self._path(owner).unlink(missing_ok=True)
            return False

    def _remove_leftovers(self) -> None:
        """Remove the lock files of processes that were killed; owners begin with the number of theirs."""
        for path in self._folder.glob("[0-9]*.lock"):
            self.is_alive(path.stem)

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"


def _release(descriptor: int, path: Path) -> None:
    path.unlink(missing_ok=True)
    os.close(descriptor)
