"""What a test run says when there is no browser."""

import pytest

NO_BROWSER = "no browser was found: install Chromium or Google Chrome to try the web page in one"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that the tests in a browser were left out, if they were."""
    skipped = [report for report in terminalreporter.stats.get("skipped", ()) if NO_BROWSER in str(report.longrepr)]
    if skipped:
        terminalreporter.write_sep("!", f"{len(skipped)} tests left out: {NO_BROWSER}", red=True, bold=True)
