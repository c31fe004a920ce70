"""The first page: what tells the runs of a pipeline apart, and where an empty one looks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.delivery.run import Site
from pipelines.ui.rendering import short
from pipelines.ui.server import Server
from tests.local.conftest import Pipeline
from tests.local.documents import BUCKET, definition, parameter, shell
from tests.ui.browsing import Client

Start = Callable[..., str]
COMMIT = "4839386586e416790002498a0e8327231908a204"


@pytest.fixture
def client(fresh: tuple[Site, Server]) -> Client:
    return Client(fresh[1].url)


@pytest.fixture
def start(fresh: tuple[Site, Server]) -> Start:
    """Starts a pipeline with values for its parameters, and returns the execution's name at its end."""
    site, _ = fresh
    site.s3.create_bucket(Bucket=BUCKET)
    parameters = [parameter("CommitId", DefaultValue="unknown"), parameter("Level", "Integer", DefaultValue=1)]
    pipeline = Pipeline(site.client, "p", definition(shell("Only", "true"), parameters=parameters))

    def run(**values: str) -> str:
        arn = pipeline.start(values)
        pipeline.wait(arn)
        return arn.rpartition("/")[2]

    return run


def test_what_is_the_same_in_all_runs_is_said_once_below_them(client: Client, start: Start) -> None:
    runs = [start(CommitId=COMMIT), start(CommitId=COMMIT, Level="2")]
    for page in (client.get("/"), client.get("/pipelines/p")):
        rows = [page.section(f"run-{name}") for name in runs]
        assert [COMMIT in row for row in rows] == [False, False]
        assert ["Level 1" in row for row in rows] == [True, False]
        assert page.words.count(f"The same in all: CommitId {COMMIT}") == 1


def test_a_run_alone_has_the_parameters_that_are_not_the_definitions(client: Client, start: Start) -> None:
    name = start(CommitId=COMMIT)
    page = client.get("/")
    assert f"CommitId {COMMIT[:17]}" in page.section(f"run-{name}")
    assert ("The same in all" in page.words, "Level" in page.words) == (False, False)


def test_what_is_the_same_and_the_definitions_is_not_said(client: Client, start: Start) -> None:
    start()
    start()
    page = client.get("/")
    assert ("The same in all" in page.words, "CommitId" in page.words) == (False, False)


def test_data_are_called_by_the_beginning_of_their_hash() -> None:
    assert short(f"s3://bucket/data/{'299c5636' + 'a' * 56}") == "…/299c5636…"
    assert short("s3://bucket/a/place/that/is/rather/long/data.csv", 16) == "…r/long/data.csv"


def test_an_empty_page_says_where_it_looks(client: Client, tmp_path: Path) -> None:
    assert f"This page shows what is in {tmp_path / 'root'} ." in client.get("/").words
