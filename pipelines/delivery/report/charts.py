"""The charts of a model's quality as SVG, each a pure function of the facts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.delivery.report.facts import Trial, Tuning
from pipelines.delivery.report.markup import Markup, join, tag
from pipelines.delivery.report.numbers import count, number, percent
from pipelines.delivery.report.quality import Confusion, Curve
from pipelines.delivery.report.svg import LETTER, WIDTH, Frame, Scale, picture, shorten, text, ticks

_UNIT_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_MOST_BARS = 15
_MOST_TICKS = 7
_LEAST_BAR = 0.001


@dataclass(frozen=True)
class Line:
    """A curve with its name; style is one of those of the legend, told apart by dashes as well as by colour."""

    name: str
    curve: Curve
    style: str = "main"


@dataclass(frozen=True)
class Mark:
    """A value on a scale."""

    name: str
    value: float
    style: str = "main"


def curves(key: str, title: str, axes: tuple[str, str], lines: Sequence[Line]) -> Markup:
    """Return curves from 0 to 1; the main one's area is shaded."""
    frame = Frame(Scale(0, 1, 46, WIDTH - 12), Scale(0, 1, 268, 12))
    drawn = [tag("path", d=frame.path(line.curve), class_=f"line {line.style}") for line in reversed(lines)]
    main = next((line for line in lines if line.style == "main"), None)
    shade = tag("path", d=frame.area(main.curve), class_="area") if main else None
    return picture(key, title, 310, frame.axes(*axes, _UNIT_TICKS, _UNIT_TICKS), shade, *drawn)


def confusion(key: str, title: str, matrix: Confusion) -> Markup:
    """Return a confusion matrix whose cells are darker the greater their part of the row is."""
    size, left, top = len(matrix.labels), 66.0, 40.0
    width, height = (WIDTH - left - 8) / size, min(88.0, 264.0 / size)
    parts = [
        text(left + width * size / 2, 14, "predicted", "axis middle"),
        text(8, top + height * size / 2 + 4, "actual", "axis"),
    ]
    for number_, label in enumerate(matrix.labels):
        name = shorten(label, width - 4)
        parts.append(text(left + width * (number_ + 0.5), 32, name, "label middle"))
        parts.append(text(left - 8, top + height * (number_ + 0.5) + 4, shorten(label, 40), "label end"))
    for row in range(size):
        for column in range(size):
            place = (left + column * width, top + row * height)
            parts.append(_cell(matrix, (row, column), place, (width - 3, height - 3)))
    return picture(key, title, top + height * size + 6, *parts)


def _cell(matrix: Confusion, cell: tuple[int, int], place: tuple[float, float], size: tuple[float, float]) -> Markup:
    (row, column), (x, y), (width, height) = cell, place, size
    share, counted = matrix.share(row, column), matrix.counts[row][column]
    words = f"actual {matrix.labels[row]}, predicted {matrix.labels[column]}: {count(counted)}, {percent(share)}"
    middle = y + height / 2
    texts = [text(x + width / 2, middle + 4, count(counted), "label middle")]
    if height > 50:
        texts = [
            text(x + width / 2, middle, count(counted), "big middle"),
            text(x + width / 2, middle + 20, f"{percent(share)} of the row", "tick middle"),
        ]
    style = "cell right" if row == column else "cell wrong"
    box = {"x": x, "y": y, "width": width, "height": height, "rx": 4}
    back = tag("rect", **box, class_="cell-back")
    return tag(
        "g", tag("title", words), back, tag("rect", **box, class_=style, fill_opacity=f"{share * 0.4:.3f}"), *texts
    )


def trials(key: str, title: str, tuning: Tuning) -> Markup:
    """Return the objective's value by trial, with the best so far as a line; the best trial is a diamond."""
    measured = tuning.measured
    values = [trial.value for trial in measured if trial.value is not None]
    low, high = min(values), max(values)
    room = _room(low, high, 0.18)
    last = max(2, len(tuning.trials))
    frame = Frame(Scale(0.5, last + 0.5, 58, WIDTH - 12), Scale(low - room, high + room, 208, 12))
    numbers = sorted({1, *range(0, last + 1, max(1, -(-last // 8)))} - {0})
    axes = frame.axes("trial", tuning.objective, numbers, ticks(low - room, high + room))
    marks = (_trial(frame, trial, tuning.objective, trial.number) for trial in tuning.trials)
    return picture(key, title, 250, axes, tag("path", d=frame.path(_best_so_far(tuning)), class_="line third"), *marks)


def by_setting(key: str, title: str, tuning: Tuning, name: str, *, logarithmic: bool = False) -> Markup:
    """Return the objective's value by a hyperparameter; one whose values are not all numbers has a place for each."""
    tried = [trial for trial in tuning.trials if name in trial.hyperparameters]
    across = _across([trial.hyperparameters[name] for trial in tried], logarithmic=logarithmic)
    values = [trial.value for trial in tuning.measured if trial.value is not None]
    low, high = min(values), max(values)
    room = _room(low, high, 0.18)
    frame = Frame(across.scale, Scale(low - room, high + room, 208, 12))
    named = f"{name}, logarithmic" if across.is_logarithmic else name
    axes = frame.axes(named, tuning.objective, list(across.names), ticks(low - room, high + room), names=across.names)
    places = zip(tried, across.places, strict=True)
    # The best one last, so that no other one lies on it.
    ordered = sorted(places, key=lambda pair: pair[0].is_best)
    return picture(key, title, 250, axes, *(_trial(frame, trial, tuning.objective, place) for trial, place in ordered))


@dataclass(frozen=True)
class _Across:
    """A scale across, the places of values on it, and the names of its ticks by their places."""

    scale: Scale
    places: Sequence[float]
    names: Mapping[float, str]
    is_logarithmic: bool = False


def _across(texts: Sequence[str], *, logarithmic: bool) -> _Across:
    numbers = _numbers(texts)
    if numbers is None:
        kinds = sorted(set(texts))
        names = {float(place): shorten(kind, (WIDTH - 70) / len(kinds)) for place, kind in enumerate(kinds)}
        return _Across(
            Scale(-0.5, len(kinds) - 0.5, 58, WIDTH - 12), [float(kinds.index(each)) for each in texts], names
        )
    logarithmic = logarithmic and min(numbers) > 0
    turned = math.log10 if logarithmic else float
    places = [turned(each) for each in numbers]
    room = _room(min(places), max(places), 0.06)
    first, last = min(places) - room, max(places) + room
    low, high = (10**first, 10**last) if logarithmic else (first, last)
    marked = (_decades(low, high) if logarithmic else []) or ticks(low, high)
    names = {turned(each): number(each) for each in marked}
    return _Across(Scale(first, last, 58, WIDTH - 12), places, names, logarithmic)


def _numbers(texts: Sequence[str]) -> list[float] | None:
    try:
        numbers = [float(each) for each in texts]
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def _decades(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 by powers of ten within a range, none where that are too few to read a scale by."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [factor * 10.0**power for power in powers for factor in (1, 2, 5) if low <= factor * 10.0**power <= high]
    # Decades only where there are many.
    shown = found if len(found) <= _MOST_TICKS else [each for each in found if math.log10(each).is_integer()]
    shown = shown[:: -(-len(shown) // _MOST_TICKS) or 1]
    return shown if len(shown) > 1 else []


def _room(low: float, high: float, part: float) -> float:
    """Return how much further than its values a scale goes; equal values have some room too."""
    greatest = max(abs(low), abs(high))
    return (high - low) * part if high - low > greatest * 1e-9 else max(greatest * 0.1, 0.01)


def _best_so_far(tuning: Tuning) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    better = min if tuning.minimize else max
    for trial in tuning.measured:
        assert trial.value is not None
        best = better(points[-1][1], trial.value) if points else trial.value
        if points:
            points.append((trial.number, points[-1][1]))
        points.append((trial.number, best))
    return [*points, (len(tuning.trials) + 0.5, points[-1][1])]


def _trial(frame: Frame, trial: Trial, objective: str, place: float) -> Markup:
    x = frame.x.at(place)
    settings = ", ".join(f"{name} {value}" for name, value in trial.hyperparameters.items())
    if trial.value is None:
        cross = tag("path", d=f"M{x - 4:.1f} 200l8 8m0 -8l-8 8", class_="cross")
        return tag("g", tag("title", f"trial {trial.number}: {trial.status}; {settings}"), cross)
    y = frame.y.at(trial.value)
    words = (
        f"trial {trial.number}: {objective} {number(trial.value)}{', the best' if trial.is_best else ''}; {settings}"
    )
    if not trial.is_best:
        return tag("g", tag("title", words), tag("circle", cx=x, cy=y, r=4.5, class_="dot"))
    diamond = tag("path", d=f"M{x:.1f} {y - 8:.1f}l8 8l-8 8l-8 -8z", class_="best")
    name = _anchored(x, y - 12, f"best {number(trial.value)}", "label main", left=frame.x.start)
    return tag("g", tag("title", words), diamond, name)


def importance(key: str, title: str, features: Sequence[tuple[str, float]]) -> Markup:
    """Return the features' parts of the importance as bars, the many small ones as one."""
    shown = [(name, share) for name, share in features[:_MOST_BARS] if share >= _LEAST_BAR]
    if rest := features[len(shown) :]:
        shown.append((f"{len(rest)} more", sum(share for _, share in rest)))
    left = min(170.0, max(len(name) for name, _ in shown) * LETTER + 12)
    scale = Scale(0, max(share for _, share in shown), 0, WIDTH - left - 52)
    rows = []
    for row, (name, share) in enumerate(shown):
        y, width = row * 22 + 4, scale.at(share)
        bar = tag("rect", x=left, y=y, width=max(width, 1.0), height=14, rx=2, class_="bar")
        words = tag("title", f"{name}: {percent(share)}")
        label = text(left - 8, y + 11, shorten(name, left - 12), "label end")
        rows.append(tag("g", words, label, bar, text(left + width + 6, y + 11, percent(share), "tick")))
    return picture(key, title, len(shown) * 22 + 4, *rows)


def gate(key: str, title: str, threshold: float, marks: Sequence[Mark]) -> Markup:
    """Return the gate as a line with the values on it; what is right of the threshold is shaded."""
    values = [threshold, *(mark.value for mark in marks)]
    low, high = min(values), max(values)
    room = _room(low, high, 0.15)
    top = 1.0 if high <= 1.0 < high + room else high + room
    scale, line = Scale(low - room, top, 12, WIDTH - 12), 34.0
    wall = scale.at(threshold)
    parts = [
        tag("rect", x=12, y=line - 4, width=WIDTH - 24, height=8, rx=4, class_="rail"),
        tag("rect", x=wall, y=line - 4, width=WIDTH - 12 - wall, height=8, rx=4, class_="rail good"),
        tag("line", x1=wall, x2=wall, y1=line - 14, y2=line + 14, class_="wall"),
        _anchored(wall, 12, f"threshold {number(threshold)}", "label"),
    ]
    free: list[float] = []
    ordered = sorted(marks, key=lambda each: -scale.at(each.value))
    parts += [_pointer(scale.at(mark.value), line, mark, free) for mark in ordered]
    return picture(key, title, line + 16 + 18 * max(1, len(free)), *parts)


def _pointer(x: float, line: float, mark: Mark, free: list[float]) -> Markup:
    """Return a mark with its words in the first row below that has room; free has each row's leftmost place taken."""
    words = f"{mark.name} {number(mark.value)}"
    width = len(words) * LETTER * 1.08
    right = min(WIDTH, max(width, x + width / 2))
    row = next((number_ for number_, taken in enumerate(free) if right + 8 <= taken), len(free))
    free[row : row + 1] = [right - width]
    y = line + 28 + 18 * row
    leader = tag("line", x1=x, x2=x, y1=line, y2=y - 11, class_="leader")
    dot = tag("circle", cx=x, cy=line, r=6.5 if mark.style == "main" else 5, class_=f"mark {mark.style}")
    return join(leader, dot, text(right - width / 2, y, words, f"label middle {mark.style}"))


def _anchored(x: float, y: float, words: str, class_: str, *, left: float = 0) -> Markup:
    half = len(words) * LETTER / 2 + 2
    return text(min(max(x, left + half), WIDTH - half), y, words, f"{class_} middle")
