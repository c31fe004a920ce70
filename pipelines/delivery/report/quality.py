"""A report in the schema of SageMaker's Model Quality, read leniently: what is not as the schema says is left out."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

Curve = tuple[tuple[float, float], ...]

_PROBLEMS = ("binary_classification_metrics", "multiclass_classification_metrics", "regression_metrics")
_ROC = ("receiver_operating_characteristic_curve", "false_positive_rates", "true_positive_rates")
_PRECISION_RECALL = ("precision_recall_curve", "recalls", "precisions")
_MOST_POINTS = 2_000
_MOST_CLASSES = 12
_MOST_METRICS = 1_000


@dataclass(frozen=True)
class Metric:
    """A metric and, where it was computed, its standard deviation."""

    name: str
    value: float
    deviation: float | None = None


@dataclass(frozen=True)
class Confusion:
    """Counts of a classifier's answers: one row for each actual class, one column for each predicted one."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        """All that was counted."""
        return sum(map(sum, self.counts))

    def share(self, row: int, column: int) -> float:
        """Return a cell's part of its row, from 0 to 1."""
        return self.counts[row][column] / max(1, sum(self.counts[row]))


@dataclass(frozen=True)
class Quality:
    """How good a model is; curves are points from 0 to 1, empty where there is none."""

    metrics: tuple[Metric, ...] = ()
    items: int | None = None
    roc: Curve = ()
    precision_recall: Curve = ()
    confusion: Confusion | None = None

    @property
    def base_rate(self) -> float | None:
        """The share of positives, which is the precision of a guess; known of two classes, 0 and 1."""
        matrix = self.confusion
        if matrix is None or matrix.labels != ("0", "1") or not matrix.total:
            return None
        return sum(matrix.counts[1]) / matrix.total

    def find(self, name: str) -> float | None:
        """Return a metric's value."""
        return next((metric.value for metric in self.metrics if metric.name == name), None)


def read_quality(document: object) -> Quality | None:
    """Return what a report says, or none when it has no metrics of the schema."""
    members = _object(document)
    metrics = next((found for name in _PROBLEMS if (found := _object(members.get(name)))), {})
    count = _number(_object(members.get("dataset")).get("item_count"))
    quality = Quality(
        metrics=tuple(islice(_metrics(metrics), _MOST_METRICS)),
        items=None if count is None else int(count),
        roc=_curve(metrics, *_ROC),
        precision_recall=_curve(metrics, *_PRECISION_RECALL),
        confusion=_confusion(_object(metrics.get("confusion_matrix"))),
    )
    return quality if quality.metrics or quality.confusion else None


def read_importance(document: object) -> tuple[tuple[str, float], ...]:
    """Return the features with their part of the whole importance, the greatest first."""
    features = _object(_object(document).get("feature_importance"))
    found = [(str(name), _number(value) or 0.0) for name, value in features.items()]
    total = sum(value for _, value in found)
    if total <= 0 or any(value < 0 for _, value in found):
        return ()
    return tuple(sorted(((name, value / total) for name, value in found), key=lambda pair: (-pair[1], pair[0])))


def sample(curve: Curve, steps: int) -> list[float]:
    """Return the curve's heights at equal distances from 0 to 1."""
    return [_height(curve, number / steps) for number in range(steps + 1)]


def _height(curve: Curve, place: float) -> float:
    for (x1, y1), (x2, y2) in pairwise(curve):
        if x1 <= place < x2:
            return y1 + (y2 - y1) * (place - x1) / (x2 - x1)
    return curve[0][1] if place < curve[0][0] else curve[-1][1]


def _metrics(members: Mapping[str, Any]) -> Iterator[Metric]:
    for name, member in members.items():
        entry = _object(member)
        if (value := _number(entry.get("value"))) is not None:
            yield Metric(str(name), value, _number(entry.get("standard_deviation")))


def _curve(metrics: Mapping[str, Any], name: str, across: str, up: str) -> Curve:
    curve = _object(metrics.get(name))
    xs, ys = curve.get(across), curve.get(up)
    if not (isinstance(xs, list) and isinstance(ys, list) and 2 <= len(xs) == len(ys) <= _MOST_POINTS):
        return ()
    points = [(_number(x), _number(y)) for x, y in zip(xs, ys, strict=True)]
    inside = [(x, y) for x, y in points if x is not None and y is not None and 0 <= x <= 1 and 0 <= y <= 1]
    return tuple(sorted(inside, key=lambda point: point[0])) if len(inside) == len(points) else ()


def _confusion(rows: Mapping[str, Any]) -> Confusion | None:
    labels = tuple(str(label) for label in rows)
    counts = [[_number(_object(row).get(label)) for label in labels] for row in rows.values()]
    whole = [tuple(int(count) for count in row if count is not None and count >= 0) for row in counts]
    if not 2 <= len(labels) <= _MOST_CLASSES or any(len(row) != len(labels) for row in whole):
        return None
    return Confusion(labels, tuple(whole))


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
