"""What the HTML report's sections are made of."""

from collections.abc import Iterable, Sequence

from pipelines.delivery.report.charts import Line
from pipelines.delivery.report.markup import Markup, join, tag

_LONG_WORD = 24
_SIGNS = {
    "registered": "M6.5 12.5l3.6 3.6 7.4-8",
    "finished": "M6.5 12.5l3.6 3.6 7.4-8",
    "rejected": "M6.5 12h11",
    "failed": "M7.8 7.8l8.4 8.4m0-8.4l-8.4 8.4",
    "stopped": "M9 9h6v6h-6z",
}


def section(key: str, title: str, *children: Markup | None) -> Markup:
    """Return a section that its heading names."""
    return tag("section", tag("h2", title, id=f"{key}-heading"), *children, aria_labelledby=f"{key}-heading")


def figure(title: str, caption: str, chart: Markup, *rest: Markup | None, level: int = 3) -> Markup:
    """Return a chart with its heading and what it shows."""
    return tag("figure", small(title, level), tag("figcaption", caption) if caption else None, chart, *rest)


def fold(summary: str, *children: Markup) -> Markup:
    """Return what opens on a click."""
    return tag("details", tag("summary", summary), *children)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = ()) -> Markup:
    """Return a table whose first column heads its rows; numbers are the columns that are aligned to the right."""
    styles = ["number" if column in numbers else None for column in range(len(heads))]
    top = [tag("th", head, scope="col", class_=style) for head, style in zip(heads, styles, strict=True)]
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            *(tag("td", cell, class_=style or _break(cell)) for cell, style in zip(row[1:], styles[1:], strict=True)),
        )
        for row in rows
    ]
    # A wide table scrolls by itself, so that the page need not.
    inside = tag("table", tag("thead", tag("tr", *top)) if any(heads) else None, tag("tbody", *body))
    return scrolling(inside, "table")


def scrolling(content: Markup, name: str) -> Markup:
    """Return what scrolls by itself where it is too wide, by keys too."""
    return tag("div", content, class_="scroll", tabindex="0", role="group", aria_label=name)


def _break(cell: object) -> str | None:
    # Only where a word is too long for any column may it be broken: elsewhere columns would shrink to single letters.
    longest = max(map(len, str(cell).split()), default=0) if not isinstance(cell, Markup) else 0
    return "long" if longest > _LONG_WORD else None


def legend(lines: Sequence[Line]) -> Markup:
    """Return the names of a chart's lines, each beside a piece of it."""
    return tag("ul", *(tag("li", _sample(line.style), line.name) for line in lines), class_="legend")


def _sample(style: str) -> Markup:
    path = tag("path", d="M0 4H28", class_=f"line {style}")
    return tag("svg", path, viewBox="0 0 28 8", aria_hidden="true")


def badge(kind: str) -> Markup:
    """Return the verdict's sign, a shape of its own for each."""
    drawn = tag("path", d=_SIGNS[kind], class_="sign")
    return tag("svg", tag("circle", cx=12, cy=12, r=12), drawn, viewBox="0 0 24 24", class_="badge", aria_hidden="true")


def small(words: str, level: int) -> Markup:
    """Return a small heading, in the first section one of the second level."""
    return tag(f"h{level}", words, class_="small")


def command(words: str, line: str) -> Markup:
    """Return a command to copy, for the first section."""
    return join(small(words, 2), tag("pre", tag("code", line)))
