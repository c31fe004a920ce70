"""The documentation as the tests read it: pages, their sections, blocks, tables and links."""

import re
from pathlib import Path

from pipelines.fraud.settings import PIPELINE_NAME

REPOSITORY = Path(__file__).parents[2]
# The pipeline, its group and its endpoints, as pages call them; a copy that was made a team's own has its own name.
FRESH_NAME = "fraud-detection"
FOLDERS = ("", "docs")
PAGES = {
    path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8")
    for folder in FOLDERS
    for path in sorted((REPOSITORY / folder).glob("*.md"))
}
PICTURES = sorted((REPOSITORY / "docs" / "pictures").glob("*.svg"))


def as_here(text: str) -> str:
    """Return what a page says with the name that this copy has."""
    return text.replace(FRESH_NAME, PIPELINE_NAME)


def section(page: str, title: str) -> str:
    """Return what stands below a heading, up to the next one that is not below it."""
    level, text = re.findall(rf"^(#+) {re.escape(title)}\n(.*?)\Z", PAGES[page], re.DOTALL | re.MULTILINE)[0]
    return re.split(rf"^#{{1,{len(level)}}} ", text, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """Return the cells of all table rows but those of headings."""
    tables = re.findall(r"^\|.*\n\|[-|]+\n((?:\|.*\n?)*)", text, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for table in tables for line in table.splitlines()]


def quoted(text: str) -> list[str]:
    """Return what stands between backticks, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE))


def links(text: str) -> list[str]:
    """Return where links and pictures lead."""
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def tree(block: str) -> list[str]:
    """Return the paths of a drawn tree of files."""
    paths: list[str] = []
    above: list[tuple[int, str]] = []
    for line in block.splitlines():
        name, depth = line.split()[0], len(line) - len(line.lstrip())
        above = [*(entry for entry in above if entry[0] < depth), (depth, name)]
        paths.append("".join(part for _, part in above))
    return paths
