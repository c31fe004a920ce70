"""Files on their way into the store: written beside it, so that they can be renamed into place."""

import hashlib
import os
import secrets
import shutil
import time
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Protocol

from pipelines.local.store.files import status_of

BLOCK_BYTES = 1 << 20
LEFTOVER_SECONDS = 24 * 3600.0
MAX_KNOWN_ETAGS = 10_000

Identity = tuple[int, int, int, int]


class Readable(Protocol):
    """Anything that gives its bytes piece by piece, and b"" at the end."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes."""


class Etags:
    """The MD5s of files, each computed once for a file's inode, time of change and size."""

    def __init__(self) -> None:
        self._known: dict[Identity, str] = {}

    def of_path(self, path: Path) -> str:
        """Return the MD5 of a file's content, in hexadecimal digits."""
        with path.open("rb") as file:
            return self.of_file(file)

    def of_version(self, path: Path, status: os.stat_result) -> str:
        """Return the MD5 that a version of a file had, or has if it is not known; others may have replaced it since."""
        return self._known.get(_identity(status)) or self.of_path(path)

    def of_file(self, file: BufferedReader) -> str:
        """Return the MD5 of an open file's whole content; its position stays."""
        status = os.fstat(file.fileno())
        known = self._known.get(_identity(status))
        if known is None:
            position = file.seek(0, os.SEEK_CUR)
            file.seek(0)
            known = hashlib.file_digest(file, new_md5).hexdigest()
            file.seek(position)
            self.remember(status, known)
        return known

    def remember(self, status: os.stat_result, digest: str) -> None:
        """Keep the MD5 of a file that was computed while it was written."""
        if len(self._known) >= MAX_KNOWN_ETAGS:
            self._known.clear()
        self._known[_identity(status)] = digest


class Staging:
    """A folder of files that are not objects yet."""

    def __init__(self, folder: Path, etags: Etags) -> None:
        self.folder = folder
        self._etags = etags
        self._remove_leftovers()

    def stage(self, source: bytes | Readable | Path) -> Path:
        """Write a new file and return its path; nothing stays when that fails."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"object-{secrets.token_hex(16)}"
        try:
            if isinstance(source, Path):
                shutil.copyfile(source, path)
            else:
                self._write(source, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def etag(self, path: Path) -> str:
        """Return the MD5 of a staged file, in hexadecimal digits."""
        return self._etags.of_path(path)

    def _write(self, source: bytes | Readable, path: Path) -> None:
        digest = new_md5()
        blocks = [source] if isinstance(source, bytes) else iter(partial(source.read, BLOCK_BYTES), b"")
        with path.open("xb") as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
            file.flush()
            self._etags.remember(os.fstat(file.fileno()), digest.hexdigest())

    def _remove_leftovers(self) -> None:
        """Drop what killed processes left, once it is so old that nobody can be at it still."""
        oldest = time.time() - LEFTOVER_SECONDS
        for path in [*self.folder.glob("object-*"), *self.folder.glob("upload-*")]:
            status = status_of(path)
            if status and status.st_mtime < oldest:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def new_md5() -> "hashlib._Hash":
    """Return an MD5 to compute an ETag with."""
    return hashlib.md5(usedforsecurity=False)


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
