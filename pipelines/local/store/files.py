"""Files and folders of this machine: walking a tree, removing empty ones, and what the operating system refuses."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.local.errors import ServiceError

NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def refusing(doing: str) -> Iterator[None]:
    """Turn the operating system's refusals into one-line service errors that say what was being done.

    The status is none that botocore retries.

    Raises:
        ServiceError: AccessDenied (403), or InternalError (507).
    """
    try:
        yield
    except OSError as error:
        reason = f"cannot {doing}: {error.strerror or error}"
        place = error.filename2 or error.filename
        if error.errno in NO_RIGHT:
            message = f"{reason} ({place}); give this user the right to, or use another root folder"
            raise ServiceError("AccessDenied", message, status=403) from error
        if error.errno in NO_SPACE:
            message = f"{reason}; free some space, or use a root folder on another disk"
            raise ServiceError("InternalError", message, status=507) from error
        raise ServiceError("InternalError", f"{reason} ({place})", status=507) from error


def files_below(folder: Path, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Yield the relative names that begin with a prefix, and the paths, of a tree's regular files.

    Symbolic links are neither yielded nor followed; folders that vanish meanwhile are left out.
    """
    pending = [("", folder)]
    while pending:
        parent, path = pending.pop()
        for entry in _entries(path):
            name = parent + entry.name
            if entry.is_dir(follow_symlinks=False):
                if f"{name}/".startswith(prefix) or prefix.startswith(f"{name}/"):
                    pending.append((f"{name}/", path / entry.name))
            elif entry.is_file(follow_symlinks=False) and name.startswith(prefix):
                yield name, path / entry.name


def remove_empty_folders(folder: Path) -> bool:
    """Remove a tree that holds nothing but folders; say whether it is gone."""
    if any(files for _, _, files in os.walk(folder)):
        return False
    for parent, _, _ in os.walk(folder, topdown=False):
        try:
            Path(parent).rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return False  # Somebody put an object there just now.
    return True


def status_of(path: Path) -> os.stat_result | None:
    """Return what the file system knows of a path, a symbolic link not followed; None if nothing is there."""
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
