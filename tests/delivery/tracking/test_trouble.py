"""What is wrong with a store is said in one short line, with what to do, and without anybody's password."""

import re
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipelines.delivery.errors import TrackingError
from pipelines.delivery.tracking.opening import open_store
from pipelines.delivery.tracking.places import DATABASE, Tracking, local_tracking
from tests.delivery.tracking.test_store import write

OLDER = "451aebb31d03"


class Odd(BaseHTTPRequestHandler):
    """Answers everything alike, with nothing of MLflow's."""

    answer = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def odd_server() -> Iterator[int]:
    """The port of a server that is not MLflow's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def trouble(tracking: Tracking) -> str:
    """What is said when nothing can be recorded."""
    with pytest.raises(TrackingError) as caught:
        write(tracking)
    said = str(caught.value)
    assert said.startswith("MLflow's store ")
    assert "\n" not in said
    assert len(said) < 500
    assert "sqlalche.me" not in said
    return said.removeprefix("MLflow's store ")


@pytest.mark.parametrize("content", ["no database" * 100, "SQLite format 3\0" + "x" * 10_000])
def test_what_is_no_database_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / DATABASE
    path.write_text(content)
    assert trouble(local_tracking(tmp_path)) == f"{path}: file is not a database: move it away"
    assert [each.name for each in tmp_path.iterdir()] == [DATABASE]
    assert path.read_text() == content


@pytest.mark.parametrize(
    ("revision", "way"),
    [
        ("ffffffffffff", "install the MLflow that made it, or move it away"),
        (OLDER, "run mlflow db upgrade 'sqlite.*', or move it away"),
    ],
)
def test_a_database_of_another_mlflow_is_left_as_it_is(tracking: Tracking, revision: str, way: str) -> None:
    assert tracking.database
    with sqlite3.connect(tracking.database) as database:
        database.execute("update alembic_version set version_num = ?", [revision])
        # As an older one has less, which MLflow would add where it is.
        database.execute("drop table webhooks")
    before = tracking.database.read_bytes()
    said = trouble(tracking)
    assert re.search(f"mlflow.db: it is not of MLflow .*, which is installed here: {way}$", said)
    assert tracking.database.read_bytes() == before


def test_an_empty_database_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / DATABASE).touch()
    assert trouble(local_tracking(tmp_path)).endswith(", or move it away")
    assert (tmp_path / DATABASE).read_bytes() == b""


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert "No such file or directory" in trouble(local_tracking(tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_given_up_soon(unused_port: int) -> None:
    uri = f"http://127.0.0.1:{unused_port}"
    assert re.fullmatch(f"{uri}: .*Connection refused", trouble(Tracking(uri)))


@pytest.mark.parametrize(
    "answer", [b"", b"<html>" + b"no " * 9_000, b"[]", b"{}", b"\xff", b'{"experiment": 5}', b'{"experiment": {}}']
)
def test_a_server_that_is_not_mlflows_is_said(odd_server: int, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    monkeypatch.setattr(Odd, "answer", answer)
    assert trouble(Tracking(f"http://127.0.0.1:{odd_server}")).startswith(f"http://127.0.0.1:{odd_server}: ")


def test_a_password_in_a_uri_is_not_told(unused_port: int) -> None:
    with pytest.raises(TrackingError) as caught:
        open_store(Tracking(f"http://us%40er:secretpw@127.0.0.1:{unused_port}/team")).experiment("fraud")
    assert str(caught.value).startswith(f"MLflow's store http://127.0.0.1:{unused_port}/team: ")
    assert not re.search("secretpw|us%40er|us@er", str(caught.value))
