"""Where an object's file stands in its bucket's folder, and how it gets there and away."""

import os
import stat
from pathlib import Path

from pipelines.local.errors import ServiceError
from pipelines.local.store.files import remove_empty_folders, status_of
from pipelines.local.store.keys import no_such_bucket

ATTEMPTS = 100


def object_status(path: Path) -> os.stat_result | None:
    """Return an object's status; None if the path is no regular file, or leads through a symbolic link."""
    status = status_of(path)
    if status is None or not stat.S_ISREG(status.st_mode) or os.path.realpath(path) != str(path):
        return None
    return status


def check_place(bucket: Path, key: str) -> None:
    """Refuse a key that stands in the way of other keys, or they in its.

    Raises:
        ServiceError: InvalidArgument.
    """
    folder = bucket
    for part in key.split("/")[:-1]:
        folder /= part
        # One look: between two, somebody else may remove the folder.
        status = status_of(folder)
        if status is not None and not stat.S_ISDIR(status.st_mode):
            raise _conflict(bucket, key, folder)
    path = bucket / key
    if path.is_dir() and not path.is_symlink() and not remove_empty_folders(path):
        raise _conflict(bucket, key, path)


def place(temporary: Path, bucket: Path, key: str) -> None:
    """Rename a file to where its key belongs, while others may put and delete objects beside it.

    Raises:
        ServiceError: NoSuchBucket, or InvalidArgument when the key stands in the way of others.
    """
    for _ in range(ATTEMPTS):
        if not bucket.is_dir():
            raise no_such_bucket(bucket.name)
        check_place(bucket, key)
        try:
            _make_folders(bucket, key)
            temporary.replace(bucket / key)
        except (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError):
            continue  # Somebody deleted the folder's last object, or put one in our way: look again.
        return
    raise ServiceError("InternalError", f"cannot write {bucket / key}: {temporary} or its new folder keeps vanishing")


def prune(bucket: Path, key: str) -> None:
    """Remove the folders that a deleted object leaves empty, the bucket's own excepted."""
    folder = (bucket / key).parent
    while folder != bucket:
        try:
            folder.rmdir()
        except OSError:
            return  # It has other objects, or somebody else was faster.
        folder = folder.parent


def _make_folders(bucket: Path, key: str) -> None:
    folder = bucket
    for part in key.split("/")[:-1]:
        folder /= part
        folder.mkdir(exist_ok=True)


def _conflict(bucket: Path, key: str, other: Path) -> ServiceError:
    kind = "a symbolic link" if other.is_symlink() else "a folder of objects" if other.is_dir() else "an object"
    taken = other.relative_to(bucket)
    return ServiceError(
        "InvalidArgument",
        f"the key {key!r} cannot be stored in {bucket.name}, where {str(taken)!r} is {kind} (objects are files here);"
        " choose another key, or delete what is in the way",
    )
