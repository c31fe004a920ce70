"""Locks that live as long as the process that holds them."""

import signal
import subprocess
import sys
from pathlib import Path

from pipelines.local.ownership import Ownership

HOLD = """
import sys, pathlib
from pipelines.local.ownership import Ownership
ownership = Ownership(pathlib.Path(sys.argv[1]))
print(ownership.owner, flush=True)
sys.stdin.read()
"""


def test_an_owner_is_alive_to_itself_and_to_other_sessions_of_its_process(tmp_path: Path) -> None:
    one, other = Ownership(tmp_path), Ownership(tmp_path)
    assert one.owner != other.owner
    assert one.is_alive(one.owner)
    assert one.is_alive(other.owner)
    other.release()
    assert not one.is_alive(other.owner)


def test_an_owner_that_never_was_is_not_alive(tmp_path: Path) -> None:
    assert not Ownership(tmp_path).is_alive("1-nobody")


def test_an_owner_dies_with_its_process_however_that_ends(tmp_path: Path) -> None:
    mine = Ownership(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        owner = holder.stdout.readline().strip()
        assert mine.is_alive(owner)
        holder.send_signal(signal.SIGKILL)
    assert not mine.is_alive(owner)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{mine.owner}.lock"]


def test_the_next_owner_removes_the_locks_of_dead_ones_and_no_others(tmp_path: Path) -> None:
    mine = Ownership(tmp_path)
    for name in ("1-dead.lock", "endpoint-e.lock"):
        (tmp_path / name).touch()
    next_one = Ownership(tmp_path)
    left = {f"{mine.owner}.lock", f"{next_one.owner}.lock", "endpoint-e.lock"}
    assert {path.name for path in tmp_path.iterdir()} == left
