"""Who runs what: a lock file that lives exactly as long as the process that holds it."""

import fcntl
import os
import secrets
from pathlib import Path


class Ownership:
    """This session's lock file in a folder; the kernel frees the lock when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.owner = f"{os.getpid()}-{secrets.token_hex(8)}"
        unlocked = folder / f"{self.owner}.new"
        self._file = unlocked.open("w", encoding="ascii")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unlocked.rename(self._path(self.owner))

    def release(self) -> None:
        """Give the ownership up."""
        self._path(self.owner).unlink(missing_ok=True)
        self._file.close()

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

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"
