"""What every chart is made of: a frame with axes, and a scale from numbers to places."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.delivery.report.markup import Markup, join, tag
from pipelines.delivery.report.numbers import number

WIDTH = 360
_NARROW = 420
LETTER = 6.8


@dataclass(frozen=True)
class Scale:
    """A line from numbers to places."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return a number's place, at the nearer end when it is outside."""
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)


@dataclass(frozen=True)
class Frame:
    """The rectangle of a chart, with a scale across and one upward."""

    x: Scale
    y: Scale

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        """Return points as a line's path."""
        places = (f"{self.x.at(x):.1f} {self.y.at(y):.1f}" for x, y in points)
        return "M" + "L".join(places)

    def area(self, points: Sequence[tuple[float, float]]) -> str:
        """Return the path of what is below a line."""
        floor = f"{self.y.start:.1f}"
        return f"{self.path(points)}L{self.x.at(points[-1][0]):.1f} {floor}L{self.x.at(points[0][0]):.1f} {floor}Z"

    def axes(
        self,
        across: str,
        up: str,
        xticks: Sequence[float],
        yticks: Sequence[float],
        *,
        names: Mapping[float, str] | None = None,
    ) -> Markup:
        """Return grid lines, ticks and the axes' names; names are of ticks across that are not called by their number.

        Of a scale that is not linear in what it shows, such as a logarithmic one, all ticks have names.
        """
        left, right, bottom, top = self.x.start, self.x.end, self.y.start, self.y.end
        parts = []
        for tick in xticks:
            x = self.x.at(tick)
            parts.append(tag("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid"))
            name = (names or {}).get(tick) or number(tick)
            parts.append(text(x, bottom + 16, name, "tick middle"))
        for tick in yticks:
            y = self.y.at(tick)
            parts.append(tag("line", x1=left, x2=right, y1=y, y2=y, class_="grid"))
            parts.append(text(left - 6, y + 4, number(tick), "tick end"))
        middle = (top + bottom) / 2
        parts.append(text((left + right) / 2, bottom + 34, shorten(across, right - left), "axis middle"))
        parts.append(
            tag(
                "text",
                shorten(up, bottom - top),
                x=11,
                y=middle,
                class_="axis middle",
                transform=f"rotate(-90 11 {middle:.0f})",
            )
        )
        return join(*parts)


def picture(key: str, title: str, height: float, *children: object, width: float = WIDTH, role: str = "img") -> Markup:
    """Return an SVG image with a name for those who cannot see it; key is unique on the page.

    What has links inside is a group, for an image has nothing inside.

    A picture that is much wider than a phone stays as wide as its words need.
    """
    least = f";min-width:{width * 0.75:.0f}px" if width > _NARROW else ""
    name = f"{key}-title"
    return tag(
        "svg",
        tag("title", title, id=name),
        *children,
        role=role,
        aria_labelledby=name,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        style=f"max-width:{width * 1.4:.0f}px{least}",
    )


def text(x: float, y: float, words: object, class_: str = "") -> Markup:
    """Return words at a place."""
    return tag("text", words, x=x, y=y, class_=class_ or None)


def shorten(words: str, room: float) -> str:
    """Return words that fit into so many units, the middle left out of those that do not."""
    letters = max(5, int(room / LETTER))
    if len(words) <= letters:
        return words
    tail = (letters - 1) // 2
    return f"{words[: letters - 1 - tail]}…{words[-tail:]}"


def ticks(low: float, high: float) -> list[float]:
    """Return three to six round numbers within a range."""
    least = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(least))
    step = power * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]
