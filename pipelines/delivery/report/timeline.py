"""When each step ran, as bars along the run's time."""

from collections.abc import Sequence

from pipelines.delivery.report.facts import StepFact
from pipelines.delivery.report.markup import Markup, join, tag
from pipelines.delivery.report.mermaid import ICONS
from pipelines.delivery.report.svg import LETTER, WIDTH, Scale, picture, shorten, text, ticks
from pipelines.delivery.wording import duration

_ROW = 26
_SHORTEST = 0.001
_LEFT = 132.0
_RIGHT = WIDTH - 8.0


def timeline(key: str, title: str, steps: Sequence[StepFact]) -> Markup:
    """Return a bar for every step that began, in the order of their beginning."""
    shown = [step for step in steps if step.offset is not None]
    end = max(((step.offset or 0) + (step.seconds or 0) for step in shown), default=0)
    end = max(end, _SHORTEST)
    scale = Scale(0, end, _LEFT, _RIGHT)
    bottom = len(shown) * _ROW + 4.0
    rows = (_row(step, number * _ROW + 4.0, scale) for number, step in enumerate(shown))
    return picture(key, title, bottom + 22, _grid(scale, end, bottom), *rows)


def _grid(scale: Scale, end: float, bottom: float) -> Markup:
    parts = []
    for tick in ticks(0, end):
        x, words = scale.at(tick), _time(tick).replace(".0 s", " s")
        half = len(words) * LETTER / 2
        parts.append(tag("line", x1=x, x2=x, y1=0, y2=bottom, class_="grid"))
        parts.append(text(min(x, WIDTH - half), bottom + 16, words, "tick middle"))
    return join(*parts)


def _row(step: StepFact, y: float, scale: Scale) -> Markup:
    began, took = step.offset or 0.0, step.seconds or 0.0
    x, width = scale.at(began), max(3.0, scale.at(began + took) - scale.at(began))
    x = min(x, _RIGHT - width)
    words = step.state if step.state in {"cached", "rejected", "failed", "stopped"} else _time(step.seconds)
    name = f"{ICONS.get(step.state, '·')} {step.name}"
    return tag(
        "g",
        tag("title", f"{step.name}: {step.state}, {_time(step.seconds)}"),
        text(0, y + 14, shorten(name, _LEFT - 6), "label"),
        tag("rect", x=x, y=y + 3, width=width, height=15, rx=3, class_=f"state {_class(step.state)}"),
        _beside(x, width, y + 14, words),
    )


def _beside(x: float, width: float, y: float, words: str) -> Markup:
    """Return words behind a bar, or before it where there is no room behind."""
    room = len(words) * LETTER + 6
    if x + width + room <= WIDTH:
        return text(x + width + 5, y, words, "tick")
    if x - room >= _LEFT:
        return text(x - 5, y, words, "tick end")
    return text(x + width / 2, y, words, "tick middle")


def _time(seconds: float | None) -> str:
    if seconds is None or seconds >= 0.1 or not seconds:
        return duration(seconds)
    return f"{seconds * 1000:.1f}".removesuffix(".0") + " ms"


def _class(state: str) -> str:
    return state.replace(" ", "-")
