"""Writes a report's files."""

from pathlib import Path

from pipelines.delivery.errors import UsageError
from pipelines.delivery.files import check_target, write_text
from pipelines.delivery.report import html, junit, markdown
from pipelines.delivery.report.gather import gather
from pipelines.delivery.run import Result, Site

HTML = "report.html"
JUNIT = "report.xml"
MARKDOWN = "report.md"
FILES = (HTML, JUNIT, MARKDOWN)


def check_folder(folder: Path, flag: str) -> None:
    """Refuse a folder in which no report can be written, before there is anything to report."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{flag} {folder}: name a folder; this is a file")
    if folder.is_dir():
        for name in FILES:
            check_target(folder / name, flag)
    else:
        check_target(folder, flag)


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
