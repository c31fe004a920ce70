"""Pages of somebody else in the same browser, who would like to see or to decide something."""

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipelines.delivery.run import Site
from pipelines.ui.server import Server
from tests.delivery.registry import GROUP, add, arn_of
from tests.ui.browsing import Client
from tests.ui.conftest import REBOUND
from tests.ui.windows import Windows

VERSION = f"/registry/{GROUP}/1"


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Leave out the line of each request."""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder of somebody else's pages, and where they are served."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site(fresh: tuple[Site, Server]) -> Site:
    add(fresh[0].client)
    return fresh[0]


@pytest.fixture
def url(fresh: tuple[Site, Server]) -> str:
    return fresh[1].url


def approval(site: Site) -> str:
    return site.client.describe_model_package(ModelPackageName=arn_of(1))["ModelApprovalStatus"]


def hidden(url: str, name: str) -> str:
    """A field of the form that decides, as somebody would have it who could read the page."""
    found = re.search(rf'name="{name}" value="([0-9a-f]+)"', Client(url).get(VERSION).text)
    assert found
    return found[1]


def test_a_form_of_another_page_decides_nothing_even_with_all_that_stands_in_ours(
    site: Site, url: str, elsewhere: tuple[Path, str], windows: Windows
) -> None:
    folder, place = elsewhere
    fields = {"token": hidden(url, "token"), "seen": hidden(url, "seen"), "decision": "approve"}
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    for policy in ("", '<meta name="referrer" content="no-referrer">'):
        (folder / "index.html").write_text(
            f'{policy}<form method="post" action="{url}{VERSION}">{inputs}<button>Win</button>'
        )
        window = windows.open()
        window.goto(place)
        window.get_by_role("button").click()
        expect(window.locator("body")).to_contain_text("this server is not for pages")
    assert approval(site) == "PendingManualApproval"


def test_a_script_of_another_page_reads_and_decides_nothing(
    site: Site, url: str, elsewhere: tuple[Path, str], windows: Windows
) -> None:
    folder, place = elsewhere
    (folder / "index.html").write_text("<title>x</title>")
    body = f"token={hidden(url, 'token')}&seen={hidden(url, 'seen')}&decision=approve"
    window = windows.open()
    window.goto(place)
    asked = "([url, more]) => fetch(url, more).then((answer) => answer.text(), (error) => error.name)"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    post = {"method": "POST", "body": body, "headers": form}
    assert window.evaluate(asked, [f"{url}{VERSION}", {}]) == "TypeError"
    assert window.evaluate(asked, [f"{url}{VERSION}", post]) == "TypeError"
    assert window.evaluate(asked, [f"{url}{VERSION}", {**post, "mode": "no-cors"}]) == "TypeError"
    assert approval(site) == "PendingManualApproval"
    windows.must_say("blocked by CORS policy|ERR_FAILED|ERR_BLOCKED_BY_RESPONSE.NotSameOrigin")


def test_no_other_page_can_put_ours_into_a_frame(
    site: Site, url: str, elsewhere: tuple[Path, str], windows: Windows
) -> None:
    folder, place = elsewhere
    (folder / "index.html").write_text(f'<iframe src="{url}{VERSION}"></iframe>')
    window = windows.open()
    window.goto(place)
    frame = window.frames[1]
    frame.wait_for_load_state()
    assert "Approve" not in frame.content()
    windows.must_say("frame-ancestors|X-Frame-Options|chrome-error|ERR_BLOCKED_BY_RESPONSE")


def test_a_name_of_somebody_else_that_leads_here_opens_nothing(site: Site, url: str, windows: Windows) -> None:
    window = windows.open()
    answer = window.goto(f"{url.replace('127.0.0.1', REBOUND)}{VERSION}")
    assert answer is not None
    assert answer.status == 403
    expect(window.locator("body")).to_contain_text(f"not for '{REBOUND}")
    expect(window.get_by_role("button", name="Approve")).to_have_count(0)
    windows.must_say("Cross-Origin-Opener-Policy header has been ignored")
    assert all(REBOUND in each for each in windows.requests)
    windows.requests.clear()


def test_what_others_wrote_never_acts_on_a_page(fresh: tuple[Site, Server], window: Page) -> None:
    site, server = fresh
    hostile = "</title></textarea><script>window.acted = 1</script><img src=x onerror='window.acted = 1'>"
    add(site.client, ModelPackageDescription=hostile, CustomerMetadataProperties={"InputDataHash": hostile})
    for address in ("/registry", f"/registry/{GROUP}", VERSION, f"/registry/{GROUP}/compare"):
        window.goto(server.url + address)
        assert window.evaluate("window.acted") is None
    window.goto(server.url + VERSION)
    expect(window.get_by_text(hostile).first).to_be_visible()
    window.get_by_label("Why").fill(hostile)
    window.get_by_role("button", name="Reject").click()
    expect(window.locator("#standing")).to_have_text("Rejected")
    assert window.evaluate("window.acted") is None
