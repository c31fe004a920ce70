"""A state on this machine that cannot be used is told in one line with what to do, and left as it is."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.local import database
from pipelines.run_pipeline import main
from tests.local.documents import definition, fail, parameter

TEXT = definition(fail("No", "no"), parameters=[parameter("Data", DefaultValue="x" * 4000)])
OTHER_ROOT = "move the folder away, or give another --local-root"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The state after a run, in the root of the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no.json").write_text(TEXT)
    assert main(["--local", "--definition", "no.json"]) == 1
    assert "FAILED: No failed: no" in capsys.readouterr().out
    return tmp_path / ".sagemaker-local" / database.STATE


def overwrite(state: Path) -> None:
    state.write_bytes(b"not a database\n" * 1000)


def truncate(state: Path) -> None:
    state.write_bytes(state.read_bytes()[:5000])


def damage(state: Path) -> None:
    """Damage all but the first page, which is all that is read when the file is opened."""
    content = state.read_bytes()
    state.write_bytes(content[:4096] + b"\x55" * (len(content) - 4096))


def make_folder(state: Path) -> None:
    state.unlink()
    state.mkdir()


def make_newer(state: Path) -> None:
    with closing(sqlite3.connect(state)) as connection:
        connection.execute("PRAGMA user_version=99")


@pytest.mark.parametrize(
    ("change", "problem", "advice"),
    [
        (overwrite, "file is not a database", OTHER_ROOT),
        (truncate, "malformed", OTHER_ROOT),
        (damage, "malformed", OTHER_ROOT),
        (make_folder, "unable to open database file", OTHER_ROOT),
        (make_newer, "was written by a newer version of this project", "use that, or another root folder"),
    ],
)
def test_a_state_that_cannot_be_used_is_told_in_one_line(
    state: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], None], problem: str, advice: str
) -> None:
    for beside in state.parent.glob(f"{database.STATE}-*"):
        beside.unlink()
    change(state)
    before = None if state.is_dir() else state.read_bytes()
    assert main(["--local", "--definition", "no.json"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("run-pipeline: error: ")
    assert "unexpected" not in line
    assert problem in line
    assert line.endswith(advice)
    assert before is None or state.read_bytes() == before


def test_a_state_that_another_process_keeps_locked_says_to_wait(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT_SECONDS", 0.01)
    with closing(sqlite3.connect(state, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert main(["--local", "--definition", "no.json"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "database is locked; wait until the other process that uses it has ended" in line


def test_a_state_that_was_moved_away_is_made_anew(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overwrite(state)
    shutil.move(state.parent, state.parent.with_name("old"))
    assert main(["--local", "--definition", "no.json"]) == 1
    assert "FAILED: No failed: no" in capsys.readouterr().out
