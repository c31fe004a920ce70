"""How a page changes in a browser while something goes on: in place, and never under the hands of who reads it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipelines.delivery.run import Site
from pipelines.ui.server import Server
from tests.local.conftest import Pipeline
from tests.local.documents import BUCKET, definition, parameter, shell
from tests.ui.windows import DESKTOP, PHONE, Windows

Create = Callable[..., Pipeline]
PLACE = "window.kept.getBoundingClientRect().top"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """A file that a step waits for."""
    path = tmp_path / "go"
    yield path
    path.touch()


@pytest.fixture
def url(fresh: tuple[Site, Server]) -> str:
    return fresh[1].url


@pytest.fixture
def create(fresh: tuple[Site, Server]) -> Create:
    site, _ = fresh
    site.s3.create_bucket(Bucket=BUCKET)
    parameters = [parameter("Note", DefaultValue="a word")]
    return lambda *steps: Pipeline(site.client, "p", definition(*steps, parameters=parameters))


def waiting(gate: Path) -> str:
    return f"seq 200; until [ -e '{gate}' ]; do sleep 0.02; done; seq 201 400"


def address(arn: str) -> str:
    return f"/pipelines/p/executions/{arn.rpartition('/')[2]}"


def test_a_run_shows_up_goes_on_and_ends_on_an_open_page(window: Page, url: str, create: Create, gate: Path) -> None:
    pipeline = create(shell("Slow", waiting(gate)), shell("Next", DependsOn=["Slow"]))
    window.goto(url)
    expect(window.get_by_text("It has not run yet")).to_be_visible()
    arn = pipeline.start()
    row = window.locator(f"#run-{arn[-12:]}")
    expect(row.get_by_text("Running")).to_be_visible()
    row.get_by_role("link").click()
    expect(window.get_by_role("link", name="Slow: running")).to_be_visible()
    expect(window.get_by_role("status").first).to_have_text("Slow is at work.")
    gate.touch()
    expect(window.get_by_role("heading", name="Finished")).to_be_visible()
    expect(window.get_by_role("link", name="Next: succeeded")).to_be_visible()
    assert window.title().startswith(arn[-12:])


def test_the_graph_is_in_sight_while_a_run_goes_on(windows: Windows, url: str, create: Create, gate: Path) -> None:
    arn = create(shell("Slow", waiting(gate)), shell("Next", DependsOn=["Slow"])).start()
    for width, most in ((DESKTOP, 380), (PHONE, 480)):
        window = windows.open(width=width)
        window.goto(url + address(arn))
        box = window.get_by_role("link", name="Slow: running").bounding_box()
        assert box is not None
        assert box["y"] < most


def test_what_a_reader_does_survives_each_change(window: Page, url: str, create: Create, gate: Path) -> None:
    pipeline = create(shell("Slow", waiting(gate)), shell("Next", DependsOn=["Slow"]))
    arn = pipeline.start()
    window.goto(url + address(arn))
    link = window.get_by_role("link", name="Slow: running")
    expect(link).to_be_visible()
    window.get_by_text("Parameters").click()
    window.evaluate("window.scrollTo(0, 150)")
    link.focus()
    window.evaluate("window.scrollTo(0, 150); window.kept = document.activeElement")
    place = window.evaluate(PLACE)
    gate.touch()
    expect(window.get_by_role("link", name="Slow: succeeded")).to_be_focused()
    expect(window.get_by_role("heading", name="Finished")).to_be_visible()
    assert window.evaluate("window.kept === document.activeElement")
    # What is above may have grown: what is looked at stays where it is.
    assert window.evaluate(PLACE) == pytest.approx(place, abs=1)
    assert window.locator("#run details").evaluate("(each) => each.open")


def test_a_log_is_followed_at_its_end_and_left_alone_elsewhere(
    window: Page, url: str, create: Create, gate: Path
) -> None:
    arn = create(shell("Slow", waiting(gate))).start()
    window.goto(f"{url}{address(arn)}/steps/Slow")
    log = window.locator("pre.log[data-follow]")
    expect(log).to_contain_text("200")
    reader = window.context.new_page()
    reader.goto(window.url)
    above = reader.locator("pre.log[data-follow]")
    expect(above).to_contain_text("200")
    above.evaluate("(each) => { each.scrollTop = 40; }")
    gate.touch()
    expect(log).to_contain_text("400")
    expect(above).to_contain_text("400")
    assert log.evaluate("(each) => each.scrollTop + each.clientHeight >= each.scrollHeight - 4")
    assert above.evaluate("(each) => each.scrollTop") == 40


def test_what_is_being_selected_is_not_pulled_away(window: Page, url: str, create: Create, gate: Path) -> None:
    arn = create(shell("Slow", waiting(gate))).start()
    window.goto(url + address(arn))
    heading = window.get_by_role("heading", name="Running")
    expect(heading).to_be_visible()
    heading.select_text()
    with window.expect_response(lambda _: True, timeout=5_000) as news:
        gate.touch()
        window.evaluate("setTimeout(() => document.getSelection().removeAllRanges(), 2000)")
    # It asks again only when nothing is selected any more.
    assert news.value.ok
    assert window.evaluate("document.getSelection().isCollapsed")
    expect(window.get_by_role("heading", name="Finished")).to_be_visible()


def test_a_page_says_when_nobody_answers_any_more(
    windows: Windows, fresh: tuple[Site, Server], create: Create, gate: Path
) -> None:
    site, _ = fresh
    arn = create(shell("Slow", waiting(gate))).start()
    server = Server(site)
    page = windows.open()
    page.goto(server.url + address(arn))
    expect(page.get_by_role("heading", name="Running")).to_be_visible()
    server.close()
    expect(page.locator("#contact")).to_contain_text("No answer")
    expect(page.get_by_role("heading", name="Running")).to_be_visible()
    again = Server(site, port=server.port)
    expect(page.locator("#contact")).to_be_empty()
    page.goto("about:blank")
    again.close()
    windows.problems.clear()  # The browser complains of each request that nobody took.


def test_without_scripts_a_page_comes_again_by_itself(windows: Windows, url: str, create: Create, gate: Path) -> None:
    arn = create(shell("Slow", waiting(gate))).start()
    page = windows.open(script=False, width=PHONE)
    page.goto(url + address(arn))
    expect(page.get_by_role("heading", name="Running")).to_be_visible()
    gate.touch()
    expect(page.get_by_role("heading", name="Finished")).to_be_visible()


def test_nothing_moves_for_who_wants_no_motion(windows: Windows, url: str, create: Create, gate: Path) -> None:
    arn = create(shell("Slow", waiting(gate))).start()
    calm, usual = windows.open(calm=True), windows.open()
    for page in (calm, usual):
        page.goto(url + address(arn))
        expect(page.get_by_role("link", name="Slow: running")).to_be_visible()
    moving = "document.getAnimations().filter((each) => each.playState === 'running').length"
    assert calm.evaluate(moving) == 0
    assert usual.evaluate(moving) > 0


def test_the_first_stop_of_the_keyboard_leads_past_the_menu(window: Page, url: str) -> None:
    window.goto(url)
    window.keyboard.press("Tab")
    expect(window.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(window.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    window.keyboard.press("Enter")
    expect(window.locator("main")).to_be_focused()
