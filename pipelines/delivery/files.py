"""Files that a reader sees whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from pipelines.delivery.errors import UsageError


def check_target(path: Path, flag: str) -> None:
    """Refuse a place where no file can be written, before there is anything to write."""
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"{flag} {path}: name a file in a folder that exists and can be written to")


def check_folder(folder: Path, flag: str) -> None:
    """Refuse a folder that is none, cannot be written to or cannot be made, before there is anything to write."""
    where = folder if folder.exists() else folder.parent
    if not (where.is_dir() and os.access(where, os.W_OK | os.X_OK)):
        raise UsageError(f"{flag} {folder}: name a folder that can be written to, or a new one in such a folder")


def write_text(text: str, path: Path) -> None:
    """Write a file by renaming a finished one into its place."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp gives a file to its owner alone; a report is for whoever may read the folder.
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException as error:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        if isinstance(error, OSError):
            # A full disk does not say whose place it has none for.
            error.filename = str(path)
        raise
