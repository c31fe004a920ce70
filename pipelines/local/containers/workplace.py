"""The server's own folder, which has commands for its jobs. Standalone: the server imports it by its path.

It is locked as long as the server lives, so that the next server can tell what killed ones have left.
"""

import fcntl
import os
import shlex
import shutil
import string
import sys
import time
from pathlib import Path

PREFIX = "sagemaker-local-"
# A folder is there for a moment before it is locked.
YOUNG_SECONDS = 60.0


def make(folder: Path) -> int:
    """Make the folder: with a pip that installs nothing, and Python under its usual names; return its lock."""
    lock = claim(folder)
    (folder / "pip.py").symlink_to(Path(__file__).with_name("requirements.py"))
    python = f"exec {shlex.quote(sys.executable)}"
    commands = {"pip": f"{python} -m pip", "pip3": f"{python} -m pip", "python": python, "python3": python}
    # The SDK's shell scripts call what `command -v python3` gives without quotes.
    is_callable = not set(sys.executable) & set(string.whitespace)
    for name, command in commands.items():
        if name.startswith("pip") or not (is_callable and Path(sys.executable).with_name(name).exists()):
            (folder / name).write_text(f'#!/bin/sh\n{command} "$@"\n')
            (folder / name).chmod(0o755)
    return lock


def claim(folder: Path) -> int:
    """Make a folder that goes when its lock is given up; return the lock."""
    folder.mkdir(mode=0o700)
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def remove_leftovers(parent: Path) -> None:
    """Remove this user's folders whose servers are gone."""
    oldest = time.time() - YOUNG_SECONDS
    with os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                if status.st_uid == os.geteuid() and status.st_mtime < oldest and not is_locked(Path(entry.path)):
                    shutil.rmtree(entry.path, ignore_errors=True)


def is_locked(folder: Path) -> bool:
    """Tell whether a folder's server is alive."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
