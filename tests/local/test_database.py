"""The documents in the SQLite file."""

import multiprocessing
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.local.database import SCHEMA_VERSION, AlreadyExists, Database
from pipelines.local.errors import DiskFull, LocalError, StateLost


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "state.sqlite")


def test_a_document_comes_back_as_it_was_put(database: Database) -> None:
    database.put("job", "a", {"Name": "a", "Times": [1.5, None], "Text": "사기"})
    assert database.get("job", "a") == {"Name": "a", "Times": [1.5, None], "Text": "사기"}
    assert database.get("job", "b") is None
    assert database.get("other", "a") is None


def test_an_insert_under_a_taken_key_changes_nothing(database: Database) -> None:
    database.insert("job", "a", {"Name": "first"})
    with pytest.raises(AlreadyExists, match="job a already exists"):
        database.insert("job", "a", {"Name": "second"})
    assert database.get("job", "a") == {"Name": "first"}


def test_documents_are_listed_by_prefix_in_the_order_of_their_creation(database: Database) -> None:
    for key in ("x/2", "x/1", "y/1", "x%/1"):
        database.put("job", key, {"Key": key})
    database.put("job", "x/2", {"Key": "x/2", "Changed": True})
    assert [document["Key"] for document in database.list("job", "x/")] == ["x/2", "x/1"]
    assert [document["Key"] for document in database.list("job")] == ["x/2", "x/1", "y/1", "x%/1"]


def test_the_latest_documents_are_read_from_a_place_on_without_the_others(database: Database) -> None:
    for key in ("x/2", "y/1", "x/1", "x%/1", "x/3"):
        database.put("job", key, {"Key": key})
    database.put("job", "x/2", {"Key": "x/2", "Changed": True})

    def keys(count: int, skip: int = 0) -> list[str]:
        return [document["Key"] for document in database.newest("job", "x/", count, skip=skip)]

    assert (keys(2), keys(2, 2), keys(9), keys(1, 3)) == (["x/3", "x/1"], ["x/2"], ["x/3", "x/1", "x/2"], [])


def test_an_update_changes_members_and_keeps_the_others(database: Database) -> None:
    database.put("job", "a", {"Name": "a", "Status": "InProgress"})
    assert database.update("job", "a", Status="Completed") == {"Name": "a", "Status": "Completed"}
    with pytest.raises(KeyError, match="job b"):
        database.update("job", "b", Status="Completed")
    database.delete("job", "a")
    assert database.list("job") == []


def test_a_transaction_that_fails_leaves_nothing_of_itself(database: Database) -> None:
    database.put("job", "a", {"Value": 1})

    def change_and_fail() -> None:
        with database.transaction():
            database.put("job", "a", {"Value": 2})
            with database.transaction():
                database.put("job", "b", {"Value": 3})
            raise RuntimeError("after both")

    with pytest.raises(RuntimeError, match="after both"):
        change_and_fail()
    assert database.get("job", "a") == {"Value": 1}
    assert database.get("job", "b") is None
    database.put("job", "c", {})
    assert database.get("job", "c") == {}


def test_a_failed_insert_can_be_survived_inside_a_transaction(database: Database) -> None:
    database.put("job", "a", {"Value": 1})
    with database.transaction():
        with pytest.raises(AlreadyExists):
            database.insert("job", "a", {"Value": 2})
        database.put("job", "b", {"Value": 3})
    assert database.get("job", "b") == {"Value": 3}


def test_a_full_disk_fails_the_write_and_keeps_what_was_there(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite")
    database.put("job", "a", {"Value": 1})
    database._connection.execute("PRAGMA max_page_count = 3")

    def fill() -> None:
        with database.transaction():
            database.put("job", "a", {"Value": 2})
            database.put("job", "b", {"Text": "x" * 100_000})

    with pytest.raises(DiskFull, match=r"cannot write .*state.sqlite: database or disk is full; free some space"):
        fill()
    assert database.get("job", "a") == {"Value": 1}
    database.put("job", "a", {"Value": 3})
    assert database.get("job", "a") == {"Value": 3}


def count(path: Path, times: int) -> None:
    database = Database(path)
    for _ in range(times):
        with database.transaction():
            body = database.get("counter", "one") or {"Value": 0}
            database.put("counter", "one", {"Value": body["Value"] + 1})
    database.close()


def test_threads_do_not_lose_each_others_writes(database: Database) -> None:
    def add() -> None:
        for _ in range(50):
            with database.transaction():
                body = database.get("counter", "one") or {"Value": 0}
                database.put("counter", "one", {"Value": body["Value"] + 1})

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.get("counter", "one") == {"Value": 200}


def test_processes_do_not_lose_each_others_writes(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=count, args=(path, 50)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert Database(path).get("counter", "one") == {"Value": 100}


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    Database(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(LocalError, match="was written by a newer version of this project"):
        Database(path)


def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (value TEXT)")
    connection.close()
    with pytest.raises(LocalError, match="is the database of another program"):
        Database(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    connection.close()


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.write_text("this is not a database, but a text that is long enough to be taken for a header" * 20)
    before = path.read_bytes()
    with pytest.raises(LocalError, match=r"state\.sqlite"):
        Database(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_state_that_is_somewhere_else_by_now_takes_and_tells_nothing(tmp_path: Path, how: str) -> None:
    path = tmp_path / "root/state.sqlite"
    database = Database(path)
    database.put("job", "a", {"Value": 1})
    path.parent.rename(tmp_path / "moved")
    if how == "deleted":
        shutil.rmtree(tmp_path / "moved")
    elif how == "replaced":
        Database(path).put("job", "a", {"Value": 2})
    for work in (
        lambda: database.put("job", "a", {"Value": 3}),
        lambda: database.delete("job", "a"),
        lambda: database.get("job", "a"),
        lambda: database.list("job"),
    ):
        with pytest.raises(StateLost, match=r"state\.sqlite was deleted, moved or replaced .*; nothing was changed"):
            work()
    database.close()
    places = {"deleted": [], "moved": [(tmp_path / "moved/state.sqlite", 1)], "replaced": [(path, 2)]}[how]
    assert [Database(place).get("job", "a") for place, _ in places] == [{"Value": value} for _, value in places]
    assert path.exists() == (how == "replaced")


def test_a_transaction_in_a_state_that_is_replaced_meanwhile_is_not_said_to_be_written(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    database = Database(path)

    def change() -> None:
        with database.transaction():
            database.put("job", "a", {"Value": 1})
            path.rename(tmp_path / "aside")

    with pytest.raises(StateLost):
        change()
    (tmp_path / "aside").rename(path)
    assert database.get("job", "a") is None


def test_a_state_that_was_written_over_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with closing(Database(path)) as database:
        database.put("job", "a", {"Value": 1})
    database = Database(path)
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(StateLost, match=r"state\.sqlite cannot be used any more \(.+\); nothing was changed"):
        database.get("job", "a")


def test_a_state_that_may_not_be_written_any_more_is_told_by_its_name_and_still_read(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite")
    database.put("job", "a", {"Value": 1})
    database._connection.execute("PRAGMA query_only=1")
    with pytest.raises(StateLost, match=r"state\.sqlite cannot be used any more \(.*readonly.*\); nothing was changed"):
        database.put("job", "a", {"Value": 2})
    assert database.get("job", "a") == {"Value": 1}
