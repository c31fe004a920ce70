"""Whose an endpoint's document is, and who may change it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.local.database import STATE, Database
from pipelines.local.hosting.documents import CONFIG_KIND, KIND, MissingConfig, Record, needs_process
from pipelines.local.ownership import Ownership

WANTED = {"EndpointConfigName": "c", "DeploymentConfig": None}
ENDPOINT = {"EndpointName": "e", "EndpointStatus": "Creating", "EndpointConfigName": "c", "Wanted": WANTED}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / STATE)
    made.insert(KIND, "e", ENDPOINT)
    yield made
    made.close()


@pytest.fixture
def record(database: Database, tmp_path: Path) -> Record:
    return Record(database, "e", Ownership(tmp_path / "owners"))


@pytest.fixture
def other(database: Database, tmp_path: Path) -> Record:
    return Record(database, "e", Ownership(tmp_path / "owners"))


def test_an_endpoint_is_claimed_once(database: Database, record: Record, other: Record) -> None:
    assert record.claim()
    before = database.get(KIND, "e")
    assert not other.claim()
    assert database.get(KIND, "e") == before
    assert (record.read(), other.read()) == (before, None)


def test_the_endpoint_of_an_owner_that_is_gone_can_be_claimed(database: Database, record: Record) -> None:
    database.update(KIND, "e", Owner="1-gone")
    assert record.claim()
    assert record.read() is not None


def test_what_is_not_there_is_not_claimed(database: Database, tmp_path: Path) -> None:
    assert not Record(database, "f", Ownership(tmp_path / "owners")).claim()


@pytest.mark.parametrize(
    ("status", "wanted", "needed"),
    [
        ("InService", None, True),
        ("Creating", WANTED, True),
        ("RollingBack", WANTED, True),
        ("Failed", None, False),
        ("Failed", {"Deleted": True}, True),
    ],
)
def test_only_a_failed_endpoint_needs_no_process(
    database: Database, record: Record, status: str, wanted: dict[str, object] | None, needed: bool
) -> None:
    document = {"EndpointName": "e", "EndpointStatus": status} | ({"Wanted": wanted} if wanted else {})
    database.put(KIND, "e", document)
    assert needs_process(document) is needed
    assert record.claim() is needed


def test_what_was_done_is_wanted_no_more_but_what_came_meanwhile_is(database: Database, record: Record) -> None:
    record.claim()
    database.update(KIND, "e", Wanted={"Deleted": True})
    record.change(WANTED, EndpointStatus="InService")
    assert (record.read() or {})["Wanted"] == {"Deleted": True}
    record.change({"Deleted": True}, FailureReason=None)
    assert "Wanted" not in (record.read() or {})


def test_a_member_is_changed_or_removed(record: Record) -> None:
    record.claim()
    record.change(FailureReason="why", Url="http://127.0.0.1:1")
    record.change(FailureReason=None)
    document = record.read() or {}
    assert document["Url"] == "http://127.0.0.1:1"
    assert not document.keys() & {"FailureReason", "LastModifiedTime"}
    record.change(EndpointStatus="InService")
    assert (record.read() or {})["LastModifiedTime"] > 0


def test_nobody_but_the_owner_changes_or_removes_a_document(database: Database, record: Record, other: Record) -> None:
    record.claim()
    before = database.get(KIND, "e")
    other.change(EndpointStatus="Failed")
    other.remove()
    assert database.get(KIND, "e") == before
    record.remove()
    assert database.get(KIND, "e") is None


def test_a_config_is_that_of_the_endpoint_even_when_it_was_deleted(database: Database, record: Record) -> None:
    record.claim()
    with pytest.raises(MissingConfig, match="Could not find endpoint configuration 'c'"):
        record.config("c")
    database.insert(CONFIG_KIND, "c", {"EndpointConfigName": "c", "from": "config"})
    assert record.config("c")["from"] == "config"
    database.update(KIND, "e", Configs={"c": {"EndpointConfigName": "c", "from": "copy"}})
    assert record.config("c")["from"] == "copy"
