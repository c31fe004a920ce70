"""Small work on files that jobs have left."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it, folders without write permission included."""

    def unlock(remove: Callable[..., Any], path: str, _: BaseException | Any) -> None:
        parent = Path(path).parent
        parent.chmod(stat.S_IRWXU)
        if Path(path).is_dir() and not Path(path).is_symlink():
            Path(path).chmod(stat.S_IRWXU)
            shutil.rmtree(path)
        elif remove in (os.unlink, os.rmdir):
            remove(path)

    if folder.exists():
        shutil.rmtree(folder, onerror=unlock)


def irregular(folder: Path) -> Iterator[Path]:
    """Yield what is neither a file nor a folder below one: links, pipes, sockets and devices, sorted."""
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            yield path


def has_files(folder: Path) -> bool:
    """Tell whether there is anything but folders below a folder."""
    return any(path.is_symlink() or not path.is_dir() for path in folder.rglob("*"))


def tail(file: Path, size: int) -> str:
    """Return the last bytes of a file as text, whatever its encoding; a missing file is empty."""
    try:
        with file.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - size))
            return stream.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
