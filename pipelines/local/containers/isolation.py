"""Makes a folder stand at /opt/ml for one process. Standalone: the server imports it by its path."""

import ctypes
import errno
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

OPT = Path("/opt")
OPT_ML = Path("/opt/ml")
MENTION = re.compile(r"(?<![\w.-])/opt/ml(?![\w.-])")

# linux/sched.h, linux/mount.h and linux/prctl.h
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36

TOUCHES = {
    "open",
    "os.listdir",
    "os.scandir",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.rename",
    "os.link",
    "os.symlink",
}


def call(name: str, *arguments: Any) -> None:
    """Call a function of the C library.

    Raises:
        OSError: it failed, or this system has no such function.
    """
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        raise OSError(errno.ENOSYS, f"this system has no {name}()")
    if function(*arguments) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process where the system has it (Linux)."""
    if sys.platform == "linux":
        call("prctl", option, ctypes.c_ulong(value), 0, 0, 0)


def isolate(tree: Path, scratch: Path) -> None:
    """Put this process in mounts of its own, with a tree at /opt/ml; `scratch` is an own, empty folder.

    Raises:
        OSError: this machine does not allow it, or has no /opt.
    """
    unshare()
    mount("none", Path("/"), flags=MS_REC | MS_PRIVATE)
    if not OPT_ML.is_dir():
        replace_opt(scratch)
    bind(tree, OPT_ML)


def unshare() -> None:
    """Enter a new mount namespace; where that takes privileges, inside a new user namespace."""
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        # A superuser's own namespace would take away the right to read other users' files.
        try:
            call("unshare", CLONE_NEWNS)
        except PermissionError:
            pass
        else:
            return
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def replace_opt(scratch: Path) -> None:
    """Mount a copy of /opt over it that has an `ml`, for the host's own must not get one."""
    mount("tmpfs", scratch, "tmpfs", data="mode=755")
    for entry in OPT.iterdir():
        twin = scratch / entry.name
        if entry.is_symlink():
            twin.symlink_to(entry.readlink())
            continue
        if entry.is_dir():
            twin.mkdir()
        else:
            twin.touch()
        bind(entry, twin)
    (scratch / OPT_ML.name).mkdir()
    bind(scratch, OPT)


def bind(source: Path, target: Path) -> None:
    """Make a file or folder appear at another path too, with everything mounted below it."""
    mount(str(source), target, flags=MS_BIND | MS_REC)


def mount(source: str, target: Path, kind: str = "none", *, flags: int = 0, data: str = "") -> None:
    """Mount something at a folder; as the system call of that name does."""
    call("mount", os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), data.encode())


def mapper(tree: Path) -> Callable[[str], str]:
    """Return a function that replaces /opt/ml by a folder wherever a text names it as a path."""
    return lambda text: MENTION.sub(lambda _: str(tree), text)


def forbid_opt_ml() -> None:
    """From now on, let this process fail with a clear error when it touches /opt/ml."""

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in TOUCHES:
            return
        for argument in arguments[:2]:
            if isinstance(argument, str | bytes | os.PathLike) and MENTION.match(path := os.fsdecode(argument)):
                reason = "this machine has no mount namespaces; take the path from SM_* variables or arguments"
                raise FileNotFoundError(errno.ENOENT, reason, path)

    sys.addaudithook(audit)
