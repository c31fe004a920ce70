"""What git could bring back."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from pipelines.delivery.errors import UsageError

_SHOWN = 3


def require_committed(root: Path, names: Sequence[str], what: str) -> None:
    """Refuse to lose files that git does not have as they are; names are relative to the root folder."""
    kept = set(_git(root, "ls-files", "-z", "--", *names))
    changed = [entry[3:] for entry in _git(root, "status", "--porcelain", "-z", "--no-renames", "--", *names)]
    lost = [name for name in names if name not in kept or name in changed]
    if lost:
        more = f" and {len(lost) - _SHOWN} others" if len(lost) > _SHOWN else ""
        raise UsageError(
            f"{what}: git does not have {', '.join(lost[:_SHOWN])}{more} as on disk and could not bring them back; "
            "commit first"
        )


def _git(root: Path, *arguments: str) -> list[str]:
    # Without the lock a look at the state never gets in the way of the person's own git.
    command = ["git", "--no-optional-locks", *arguments]
    try:
        done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    except OSError as error:
        raise UsageError(f"git cannot be asked in {root}: {error.strerror}; install it first") from error
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise UsageError(f"git in {root}: {said}; make it a git repository first and commit, so that nothing is lost")
    return [entry for entry in done.stdout.split("\0") if entry]
