"""The browser of this machine, and what a test run says when there is none."""

import shutil
from pathlib import Path

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
NO_BROWSER = "no browser was found: install Chromium or Google Chrome to try the web page in one"


def find_browser() -> Path | None:
    """Return the program of a browser."""
    found = (shutil.which(name) for name in PROGRAMS)
    return next((Path(place) for place in (*found, *APPLICATIONS) if place and Path(place).exists()), None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that the tests in a browser were left out, if they were."""
    skipped = [report for report in terminalreporter.stats.get("skipped", ()) if NO_BROWSER in str(report.longrepr)]
    if skipped:
        terminalreporter.write_sep("!", f"{len(skipped)} tests left out: {NO_BROWSER}", red=True, bold=True)
