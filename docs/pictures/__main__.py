"""python -m docs.pictures: draw the pictures again, from the default pipeline, run and deployed on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

from docs.pictures.browser import find_browser
from docs.pictures.film import draw_film
from docs.pictures.graph import draw_graph
from docs.pictures.screens import Shot, page_served, take
from docs.pictures.terminal import REPOSITORY, Recording, record

FOLDER = Path(__file__).parent
DEFINITION = "definition.json"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}


def command(name: str, *arguments: str) -> list[str]:
    """Return a command on this machine, as `make run` calls it."""
    module = name.replace("-", "_")
    program = f"import sys; from pipelines.{module} import main; sys.argv[0] = '.venv/bin/{name}'; sys.exit(main())"
    return [sys.executable, "-c", program, *arguments, "--local"]


def call(folder: str, name: str, *arguments: str) -> None:
    """Run a command that is in no picture."""
    subprocess.run(command(name, *arguments), cwd=folder, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)


def record_update(folder: str) -> Recording:
    """Record how a second version takes the place of the first one in production, where a run was made."""
    call(folder, "run-pipeline", "--parameter", "RocAucThreshold=0.75")
    for version in ("1", "2"):
        call(folder, "approve-model", version, "--approve")
    arguments = ("--stage", "production")
    call(folder, "deploy-model", *arguments, "--model-package", "2")
    try:
        return record(command("deploy-model", *arguments, "--model-package", "1"), Path(folder))
    finally:
        call(folder, "deploy-model", *arguments, "--teardown")


def photograph_report() -> None:
    """Take the first screen of a run's report."""
    with TemporaryDirectory() as folder:
        call(folder, "run-pipeline", "--report", "report")
        take([Shot("report", Path(folder, "report", "report.html").as_uri(), 1010)], FOLDER)


def photograph_page(folder: str) -> None:
    """Take the page of a root in which the first version is in service in staging, and the third one waits."""
    call(folder, "run-pipeline", "--parameter", "RocAucThreshold=0.74")
    call(folder, "deploy-model", "--stage", "staging", "--model-package", "1")
    try:
        with page_served(folder, ENVIRONMENT) as url:
            take(list(shots_of(url)), FOLDER)
    finally:
        call(folder, "deploy-model", "--stage", "staging", "--teardown")


def shots_of(url: str) -> Iterator[Shot]:
    """Yield what is shown of the page."""
    yield Shot("page-execution", url, 1010, open_first_execution)
    yield Shot("page-trials", url, 860, open_trials)
    yield Shot("page-version", f"{url}/registry/fraud-detection/3", 1010)
    yield Shot("page-endpoint", f"{url}/endpoints/fraud-detection-staging", 1010, send_claim)


def open_first_execution(page: Page) -> None:
    """Go to the execution that tuned."""
    page.locator(".runs tbody th a").last.click()
    page.locator("svg").first.wait_for()


def open_trials(page: Page) -> None:
    """Go on to its trials."""
    open_first_execution(page)
    page.goto(f"{page.url}/steps/Tune")
    page.locator("a[href^='/tuning-jobs/']").first.click()
    page.get_by_role("heading", name="Trials").wait_for()


def send_claim(page: Page) -> None:
    """Send the claim that the form begins with, and show the answer."""
    page.get_by_role("button", name="Send").click()
    page.locator("#answer pre").wait_for()
    page.evaluate("window.scrollTo(0, 0)")


def main() -> int:
    """Write every picture and return the exit code."""
    has_browser = find_browser() is not None
    with TemporaryDirectory() as folder:
        run = record(command("run-pipeline"), Path(folder))
        call(folder, "get-pipeline-definition", "--file-name", DEFINITION)
        update = record_update(folder)
        definition = Path(folder, DEFINITION).read_text(encoding="utf-8")
        if has_browser:
            photograph_page(folder)
            photograph_report()
        else:
            sys.stderr.write("no browser was found, so the .png pictures stay as they are: install Chromium\n")
    (FOLDER / "pipeline.svg").write_text(draw_graph(definition), encoding="utf-8")
    (FOLDER / "run.svg").write_text(draw_film("make run", run), encoding="utf-8")
    typed = "deploy-model --stage production --model-package 1 --local"
    (FOLDER / "deploy.svg").write_text(draw_film(typed, update), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
