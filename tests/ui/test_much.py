"""Much of everything: executions, steps, and a log of 50 MB. Each page stays short and comes soon."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.command_line import open_site
from pipelines.delivery.run import Site
from pipelines.ui.runs import MOST_MARKS
from pipelines.ui.server import Server
from tests.local.conftest import Pipeline
from tests.local.documents import ALWAYS, condition, definition, fail, shell
from tests.ui.browsing import Client

EXECUTIONS, STEPS = 10_000, 200
# On a machine that does nothing else a page takes some hundredths of this.
SECONDS = 5.0


@pytest.fixture
def client(fresh: tuple[Site, Server]) -> Client:
    return Client(fresh[1].url)


def soon(client: Client, path: str) -> str:
    began = time.monotonic()
    answer = client.get(path)
    assert answer.status == 200
    assert time.monotonic() - began < SECONDS
    return answer.text


def multiply(site: Site, arn: str, times: int) -> None:
    """Write an execution down many times, as if it had run again and again."""
    database = site.session.sagemaker.machine.database  # type: ignore[attr-defined] # the local session's
    execution, steps = database.get("execution", arn), database.list("step", f"{arn}/")
    with database.transaction():
        for number in range(times):
            copy = f"{arn[:-12]}{number:012}"
            database.insert("execution", copy, {**execution, "PipelineExecutionArn": copy})
            for step in steps:
                database.insert("step", f"{copy}/{step['Step']['StepName']}", step)


def test_ten_thousand_executions_are_shown_page_by_page(client: Client, fresh: tuple[Site, Server]) -> None:
    site, _ = fresh
    arn = Pipeline(site.client, "many", definition(fail("No"))).run().arn
    multiply(site, arn, EXECUTIONS)
    assert soon(client, "/").count('id="run-') == 8
    newest = soon(client, "/pipelines/many")
    assert newest.count('id="run-') == 25
    assert f"run-{EXECUTIONS - 1:012}" in newest
    assert 'href="/pipelines/many?after=25">Older' in newest
    last = soon(client, f"/pipelines/many?after={EXECUTIONS}")
    assert f"run-{arn[-12:]}" in last
    assert ">Older" not in last
    assert 'href="/pipelines/many">Newest' in last
    assert "There are no older executions" in soon(client, "/pipelines/many?after=99999")


def test_two_hundred_steps_are_drawn_and_counted(client: Client, fresh: tuple[Site, Server]) -> None:
    site, _ = fresh
    steps = (condition(f"Step{n:03}", ALWAYS) | {"DependsOn": [f"Step{n // 2:03}"] if n else []} for n in range(STEPS))
    arn = Pipeline(site.client, "wide", definition(*steps)).run().arn
    page = soon(client, f"/pipelines/wide/executions/{arn[-12:]}")
    assert page.count('id="step-Step') == STEPS
    assert page.count("<a href=") > STEPS
    home = soon(client, "/")
    assert "200 succeeded" in home
    assert home.count('<i class="mark-') <= MOST_MARKS
    assert "Step199" in soon(client, f"/pipelines/wide/executions/{arn[-12:]}/steps/Step199")


def test_a_huge_log_costs_a_page_its_end_only(client: Client, fresh: tuple[Site, Server], tmp_path: Path) -> None:
    site, _ = fresh
    run = Pipeline(site.client, "p", definition(shell("Chatty", "echo first"))).run()
    (details,) = run.steps["Chatty"]["Metadata"].values()
    log = Path(site.places.job_log("Processing", details["Arn"].rpartition("/")[2]) or "")
    with log.open("r+b") as file:
        file.truncate(50 * 1024 * 1024)
        file.seek(0, 2)
        file.write(b"\nthe last line\n")
    page = soon(client, f"/pipelines/p/executions/{run.arn[-12:]}/steps/Chatty")
    assert "the last line" in page
    assert "These are its last lines" in page
    assert len(page) < 100_000


def test_pipelines_have_pages_too(client: Client, fresh: tuple[Site, Server]) -> None:
    site, _ = fresh
    for number in range(11):
        Pipeline(site.client, f"p{number:02}", definition(fail("No")))
    first = client.get("/")
    assert [f"p{number:02}" for number in range(11) if f"pipeline-p{number:02}" in first.page.parts] == [
        f"p{number:02}" for number in range(3, 11)
    ]
    assert "It has not run yet" in first.section("pipeline-p10")
    older = client.get("/?after=8")
    assert "pipeline-p02" in older.page.parts
    assert "/" in older.page.links


@pytest.fixture
def odd_root(tmp_path: Path) -> Iterator[tuple[Site, Client]]:
    """A root whose path has what addresses and templates treat in a way of their own."""
    with open_site(argparse.Namespace(local=True, local_root=tmp_path / "it's #1 <b>? %41 한국어")) as site:
        server = Server(site)
        yield site, Client(server.url)
        server.close()


def test_a_root_of_any_name_is_shown_as_it_is_called(odd_root: tuple[Site, Client]) -> None:
    site, client = odd_root
    run = Pipeline(site.client, "p", definition(shell("Say", "echo hello"))).run()
    page = client.get(f"/pipelines/p/executions/{run.arn[-12:]}/steps/Say")
    assert "it's #1 <b>? %41 한국어" in page.words
    assert "hello" in page.section("log")
