"""The page of a root that is deleted, moved, replaced or written over while it is shown."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipelines.delivery.run import Site
from pipelines.ui.server import Server
from tests.delivery.registry import GROUP, add, arn_of
from tests.ui.browsing import Client
from tests.ui.conftest import serving

VERSION = f"/registry/{GROUP}/1"
LOST = "state.sqlite was deleted, moved or replaced since it was opened; nothing was changed"


def approval(client: Client) -> dict[str, str]:
    """The fields of the form as its page has them, and a decision."""
    found = re.findall(r'name="(token|seen)" value="([0-9a-f]+)"', client.get(VERSION).text)
    return {**dict(found), "decision": "approve"}


def test_a_decision_for_a_root_that_was_begun_anew_is_refused_and_not_lost(
    fresh: tuple[Site, Server], tmp_path: Path
) -> None:
    site, server = fresh
    add(site.client)
    client = Client(server.url)
    fields = approval(client)
    shutil.rmtree(tmp_path / "root")
    with serving(tmp_path / "root") as (anew, other):
        add(anew.client)
        answer = client.post(VERSION, fields)
        assert (answer.status, LOST in answer.words, "start the command again" in answer.words) == (503, True, True)
        for path in ("/", "/registry", VERSION, "/endpoints"):
            assert client.get(path).status == 503
        assert anew.client.describe_model_package(ModelPackageName=arn_of(1))["ModelApprovalStatus"] == (
            "PendingManualApproval"
        )
        again = Client(other.url)
        assert again.post(VERSION, approval(again)).status == 303


def test_a_root_that_is_moved_and_put_back_is_shown_again(fresh: tuple[Site, Server], tmp_path: Path) -> None:
    _, server = fresh
    client = Client(server.url)
    assert client.get("/").status == 200
    (tmp_path / "root").rename(tmp_path / "aside")
    assert client.get("/").status == 503
    (tmp_path / "aside").rename(tmp_path / "root")
    assert client.get("/").status == 200


def test_an_open_page_says_that_its_root_is_gone(window: Page, fresh: tuple[Site, Server], tmp_path: Path) -> None:
    site, server = fresh
    add(site.client)
    window.goto(server.url + VERSION)
    shutil.rmtree(tmp_path / "root")
    expect(window.locator("#contact")).to_contain_text(LOST)
    window.goto(server.url)
    expect(window.locator("main")).to_contain_text(LOST)


def test_a_state_that_was_written_over_is_a_line_on_the_page_and_none_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "root/state.sqlite"
    with serving(tmp_path / "root") as (site, server):
        add(site.client)
        connection = site.session.sagemaker.machine.database._connection  # type: ignore[attr-defined] # the local one
        connection.execute("PRAGMA wal_checkpoint")
        state.write_bytes(b"x" * state.stat().st_size)
        (tmp_path / "root/state.sqlite-wal").write_bytes(b"")
        connection.execute("PRAGMA shrink_memory")
        answer = Client(server.url).get("/registry")
        assert (answer.status, f"{state} cannot be used any more" in answer.words) == (503, True)
    assert capfd.readouterr() == ("", "")
