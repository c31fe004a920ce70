"""A recording as a picture: an SVG that plays it, and that shows the last screen where nothing plays."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from docs.pictures.terminal import COLUMNS, Recording, Screen

SIZE, ADVANCE, LINE = 14, 8.43, 20
MARGIN, BAR = 16, 34
LAST_SCREEN_SECONDS = 8.0
PAGE, INK = "#1c2128", "#d1d7e0"
STYLE = f"""\
text {{ font: {SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: {INK}; }}
.b {{ font-weight: bold; }} .d {{ fill: #8b949e; }}
.early {{ opacity: 0; }}
@media (prefers-reduced-motion: reduce) {{ g {{ animation: none !important; }} }}"""
WORD = re.compile(r"\S+(?: \S+)*")


@dataclass(frozen=True)
class Row:
    """A line of text and when it stands at its place: from a moment to another, or to the end (None)."""

    place: int
    text: str
    begin: float
    end: float | None


def draw_film(command: str, recording: Recording) -> str:
    """Return a terminal on which a command is typed and runs, as SVG."""
    prompt = f"\x1b[2m$\x1b[0m \x1b[1m{command}\x1b[0m"
    screens = [Screen(screen.at, (prompt, *screen.lines)) for screen in recording.screens()]
    seconds = screens[-1].at + LAST_SCREEN_SECONDS
    width = COLUMNS * ADVANCE + 2 * MARGIN
    height = BAR + len(screens[-1].lines) * LINE + MARGIN
    rows = list(rows_of(screens))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">',
            f"<title>{escape(command)}</title>",
            f"<style>\n{STYLE}\n{_timing(rows, seconds)}\n</style>",
            f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="9" fill="{PAGE}" '
            'stroke="#8b949e" stroke-opacity="0.5"/>',
            *(
                f'<circle cx="{MARGIN + 6 + 20 * number}" cy="19" r="6" fill="{colour}"/>'
                for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
            ),
            *(_group(row) for row in rows),
            "</svg>\n",
        ]
    )


def rows_of(screens: Sequence[Screen]) -> Iterator[Row]:
    """Yield every line that ever stands at a place, once for each time that it stays there."""
    for place in range(max(len(screen.lines) for screen in screens)):
        texts = [screen.lines[place] if place < len(screen.lines) else "" for screen in screens]
        begin = 0
        for number, text in enumerate(texts):
            is_last = number + 1 == len(texts)
            if is_last or texts[number + 1] != text:
                end = None if is_last else screens[number + 1].at
                if Text.from_ansi(text).plain.strip():
                    yield Row(place, text, screens[begin].at if begin else 0.0, end)
                begin = number + 1


def _name(row: Row) -> str:
    end = "" if row.end is None else f"{row.end * 1000:.0f}"
    return f"t{row.begin * 1000:.0f}-{end}"


def _timing(rows: Sequence[Row], seconds: float) -> str:
    """Return the styles that show rows at their times, one for all rows of the same times."""
    moving = {_name(row): row for row in rows if row.begin or row.end is not None}
    rules = (
        (
            f"@keyframes {name} {{ {_steps(row, seconds)} }}",
            f".{name} {{ animation: {name} {seconds:.2f}s step-end infinite; }}",
        )
        for name, row in moving.items()
    )
    return "\n".join(line for rule in rules for line in rule)


def _steps(row: Row, seconds: float) -> str:
    steps = [f"0% {{ opacity: {0 if row.begin else 1}; }}"]
    if row.begin:
        steps.append(f"{row.begin / seconds:.3%} {{ opacity: 1; }}")
    if row.end is not None:
        steps.append(f"{row.end / seconds:.3%} {{ opacity: 0; }}")
    return " ".join(steps)


def _group(row: Row) -> str:
    moves = [_name(row)] if row.begin or row.end is not None else []
    classes = [*moves, *(["early"] if row.end is not None else [])]
    attribute = f' class="{" ".join(classes)}"' if classes else ""
    return f"<g{attribute}>{''.join(_words(row))}</g>"


def _words(row: Row) -> Iterator[str]:
    """Yield the words of a line, each at its column, whatever font there is."""
    line = Text.from_ansi(row.text)
    line.truncate(COLUMNS, overflow="ellipsis")
    column, y = 0, BAR + row.place * LINE + SIZE
    for segment in line.render(Console(color_system="truecolor")):
        for word in WORD.finditer(segment.text.rstrip("\n")):
            text, x = word.group(), MARGIN + (column + word.start()) * ADVANCE
            yield (
                f'<text x="{x:.1f}" y="{y}" textLength="{len(text) * ADVANCE:.1f}" '
                f'lengthAdjust="spacingAndGlyphs"{_look(segment.style)}>{escape(text)}</text>'
            )
        column += len(segment.text)


def _look(style: Style | None) -> str:
    if style is None:
        return ""
    classes = [name for name, is_set in (("b", style.bold), ("d", style.dim)) if is_set]
    attribute = f' class="{" ".join(classes)}"' if classes else ""
    if style.color and not style.color.is_default:
        shown = style.color.downgrade(ColorSystem.TRUECOLOR).get_truecolor(SVG_EXPORT_THEME)
        return f'{attribute} style="fill: {shown.hex}"'
    return attribute
