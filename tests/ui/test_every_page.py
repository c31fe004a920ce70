"""What holds for every page, in light and dark, on a desktop and on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from pipelines.delivery.deployment.names import endpoint_name
from pipelines.delivery.run import Site
from pipelines.fraud.settings import MODEL_PACKAGE_GROUP_NAME, PIPELINE_NAME
from pipelines.ui.server import Server
from tests.ui.windows import DESKTOP, PHONE, Windows

ACCESSIBILITY = Path(__file__).with_name("accessibility.js").read_text(encoding="utf-8")
WRONG = """<title>x</title><h1 id="a">x</h1><h3 id="a">y</h3><button></button><input><a href="#"></a>
<table><tr><th>z</th></tr></table><p style="color: #999">faint</p>"""
GROUP = f"/registry/{MODEL_PACKAGE_GROUP_NAME}"
PIPELINE = f"/pipelines/{PIPELINE_NAME}"


def addresses(site: Site) -> Iterator[str]:
    """Every page of the workshop, one of each kind."""
    client = site.client
    yield from ("/", PIPELINE)
    executions = client.list_pipeline_executions(PipelineName=PIPELINE_NAME)["PipelineExecutionSummaries"]
    for each in executions:
        yield f"{PIPELINE}/executions/{each['PipelineExecutionArn'].rpartition('/')[2]}"
    first = executions[-1]["PipelineExecutionArn"].rpartition("/")[2]
    for step in ("Preprocess", "Evaluate", "Tune", "RegisterTuned"):
        yield f"{PIPELINE}/executions/{first}/steps/{step}"
    jobs = client.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    yield f"/tuning-jobs/{jobs[0]['HyperParameterTuningJobName']}"
    yield f"/training-jobs/{client.list_training_jobs()['TrainingJobSummaries'][0]['TrainingJobName']}"
    yield from ("/registry", GROUP, f"{GROUP}/compare", f"{GROUP}/1", f"{GROUP}/2")
    yield from ("/endpoints", f"/endpoints/{endpoint_name(MODEL_PACKAGE_GROUP_NAME, 'staging')}")


def open_everything(page: Page) -> None:
    """Open what is folded, so that it is looked at too."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (DESKTOP, True), (PHONE, False), (PHONE, True)])
def test_every_page_can_be_read_by_anybody(
    shown: tuple[Site, Server], windows: Windows, width: int, dark: bool
) -> None:
    site, server = shown
    page = windows.open(width=width, dark=dark)
    problems: dict[str, list[str]] = {}
    for address in addresses(site):
        answer = page.goto(server.url + address)
        assert answer is not None
        assert answer.status == 200, address
        open_everything(page)
        found = list(page.evaluate(ACCESSIBILITY))
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append("the page scrolls sideways")
        if found:
            problems[address] = found
    assert not problems


def test_the_look_at_pages_finds_what_is_wrong(window: Page) -> None:
    window.set_content(WRONG)
    found = "\n".join(window.evaluate(ACCESSIBILITY))
    for problem in (
        "0 of main",
        "no language",
        "h3 after h1",
        "id twice",
        "without a name",
        "head without",
        "contrast",
    ):
        assert problem in found, problem
