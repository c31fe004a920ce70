"""Pictures of pages as a browser shows them, in light and in dark."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from docs.pictures.browser import browser_arguments, find_browser

WIDTH = 1180
STOP_SECONDS = 20


@dataclass(frozen=True)
class Shot:
    """A page to look at: the picture's name and height, and what is done on the page before."""

    name: str
    address: str
    height: int
    act: Callable[[Page], None] = lambda _: None


@contextmanager
def page_served(folder: str, environment: dict[str, str]) -> Iterator[str]:
    """Run `sagemaker-local ui` in a folder, and yield its address."""
    command = [sys.executable, "-m", "pipelines.sagemaker_local", "ui", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def take(shots: Sequence[Shot], folder: Path) -> None:
    """Write `<name>.png` and `<name>-dark.png` of each page into a folder."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=browser_arguments())
        for shot in shots:
            _take(browser, shot, folder / f"{shot.name}.png", dark=False)
            _take(browser, shot, folder / f"{shot.name}-dark.png", dark=True)
        browser.close()


def _take(browser: Browser, shot: Shot, file: Path, *, dark: bool) -> None:
    size = {"width": WIDTH, "height": shot.height}
    page = browser.new_page(viewport=size, color_scheme="dark" if dark else "light")  # type: ignore[arg-type]
    page.goto(shot.address)
    shot.act(page)
    page.screenshot(path=file)
    page.close()
