"""A new database is whole or not there, whoever is killed while it is made and however many begin at once."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.delivery.tracking.database import make_database
from pipelines.delivery.tracking.places import DATABASE, local_tracking
from tests.delivery.tracking.conftest import ODD_NAME
from tests.delivery.tracking.experiments import Experiments
from tests.delivery.tracking.test_store import write
from tests.local.server.conftest import LIMIT_SECONDS

FIRST = """
import sys
from pathlib import Path
import pipelines.delivery.tracking.store
from tests.delivery.tracking.test_store import local_tracking, write
print("ready", flush=True)
sys.stdin.readline()
print(write(local_tracking(Path(sys.argv[1]))))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder in which nothing was recorded."""
    folder = tmp_path / ODD_NAME
    folder.mkdir()
    return folder


def first_recorder(root: Path) -> "subprocess.Popen[str]":
    """A process that has loaded all, and records when it is told to."""
    process = subprocess.Popen(
        [sys.executable, "-c", FIRST, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def begin(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def wait_until_made_up_to(size: int, root: Path) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while sum(path.stat().st_size for path in root.glob(f"{DATABASE}*") if "journal" not in path.name) <= size:
        assert time.monotonic() < deadline


def tables(path: Path) -> int:
    with sqlite3.connect(path) as database:
        (number,) = database.execute("select count(*) from sqlite_master where type = 'table'").fetchone()
    return int(number)


@pytest.mark.parametrize("size", [0, 270_000, 450_000])
def test_where_the_first_recorder_is_killed_the_next_one_completes(root: Path, empty_database: Path, size: int) -> None:
    process = first_recorder(root)
    begin(process)
    wait_until_made_up_to(size, root)
    os.kill(process.pid, signal.SIGKILL)
    assert process.communicate()[0] == ""
    assert not (root / DATABASE).exists()
    write(local_tracking(root))
    assert Experiments(local_tracking(root)).children("fraud", None) == ["abc"]
    assert {path.name for path in root.iterdir()} == {DATABASE, "mlflow-artifacts"}
    assert tables(root / DATABASE) == tables(empty_database)


def test_of_first_recorders_at_the_same_time_each_records_the_one_run(root: Path) -> None:
    processes = [first_recorder(root) for _ in range(3)]
    for process in processes:
        begin(process)
    said = {process.communicate(timeout=LIMIT_SECONDS)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert said == {Experiments(local_tracking(root)).run("fraud", "abc").info.run_id}
    assert {path.name for path in root.iterdir()} == {DATABASE, "mlflow-artifacts"}


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    make_database(path, Path.touch)
    make_database(path, lambda _: pytest.fail("made twice"))
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_made_leaves_no_database(tmp_path: Path) -> None:
    def make(unfinished: Path) -> None:
        unfinished.write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        make_database(tmp_path / DATABASE, make)
    assert not (tmp_path / DATABASE).exists()
