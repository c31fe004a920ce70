"""What of a job's results is not uploaded, as its log tells."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.local.jobs.workspace import note

MOST_NAMED = 10


def note_left_out(log: Path, inside: str, folder: Path, left_out: Sequence[Path]) -> None:
    """Name the links and special files in a folder that were not uploaded; the job calls it `inside`."""
    for path in left_out[:MOST_NAMED]:
        kind = "a symbolic link" if path.is_symlink() else "a special file"
        note(log, f"{f'{inside}/{path.relative_to(folder)}'!r} was not uploaded: it is {kind}")
    more = len(left_out) - MOST_NAMED
    if more > 0:
        note(log, f"{more} more links and special files in {inside} were not uploaded")
