"""Writes a report's files."""

from pathlib import Path

from pipelines.delivery.files import write_text
from pipelines.delivery.report import html, junit, markdown
from pipelines.delivery.report.gather import gather
from pipelines.delivery.run import Result, Site

HTML = "report.html"
JUNIT = "report.xml"
MARKDOWN = "report.md"
FILES = (HTML, JUNIT, MARKDOWN)


def clear(folder: Path) -> None:
    """Remove an earlier run's report, so that none can be taken for that of a run that was killed."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


def write_report(site: Site, result: Result, folder: Path) -> None:
    """Write all renderings into a folder, each by a rename."""
    facts = gather(site, result)
    pages = {HTML: html.render(facts), JUNIT: junit.render(facts), MARKDOWN: markdown.render(facts)}
    folder.mkdir(exist_ok=True)
    for name, text in pages.items():
        write_text(text, folder / name)
