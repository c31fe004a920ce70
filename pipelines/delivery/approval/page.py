"""A dossier as plain text of 80 columns: quality, lineage, and what was decided so far."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pipelines.delivery.approval.dossier import Dossier
from pipelines.delivery.approval.listing import number
from pipelines.delivery.lifecycle import history
from pipelines.delivery.packages import ModelPackage
from pipelines.delivery.places import Places
from pipelines.delivery.report.quality import Confusion, Metric
from pipelines.delivery.report.words import metric_name
from pipelines.delivery.wording import ON_OTHER_DATA, age, one_line

WIDTH = 80
QUALITY = "Quality"
_LABEL = 12
_METRICS_A_LINE = 3
_MOST_CLASSES = 5
# Told by others: the ROC AUC by its own line, the rates by the confusion matrix.
_TOLD = frozenset({"auc", "true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate"})

Fact = tuple[str, str | None]


def page(dossier: Dossier, places: Places, now: datetime) -> Iterator[str]:
    """Yield the lines; what is not known is left out, but for what a decision needs."""
    package = dossier.package
    yield f"{package.name}: {package.approval}"
    yield from textwrap.wrap(one_line(package.description), WIDTH, initial_indent="  ", subsequent_indent="  ")
    for title, facts in sections(dossier, places, now).items():
        yield from ("", title)
        for label, text in facts:
            yield from _fact(label, text)
        if title == QUALITY:
            yield from _matrix(dossier.quality.confusion if dossier.quality else None)


def sections(dossier: Dossier, places: Places, now: datetime) -> dict[str, list[tuple[str, str]]]:
    """Return what is known, each fact with its label and on one line, by the titles of its sections."""
    found = {
        QUALITY: _quality(dossier, places),
        "Lineage": _lineage(dossier, places, now),
        "Use": _use(dossier.package),
        "Decided so far": _decided(dossier.package),
    }
    return {title: [(label, one_line(text)) for label, text in facts if text] for title, facts in found.items()}


def _fact(label: str, text: str) -> Iterator[str]:
    """Yield a fact, at its label where there is room; addresses are never broken, so that they can be copied."""
    head = f"  {label:<{_LABEL}} "
    if len(head) + max(map(len, text.split(" "))) > WIDTH:
        yield head.rstrip()
        yield f"    {text}"
        return
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    )


def _quality(dossier: Dossier, places: Places) -> Iterator[Fact]:
    package, champion, quality = dossier.package, dossier.champion, dossier.quality
    value = package.roc_auc if package.roc_auc is not None or quality is None else quality.find("auc")
    threshold = "" if package.threshold is None else f", threshold {package.threshold:g}"
    yield "ROC AUC", f"{number(value)}{threshold}"
    lead = None if champion is None or champion.roc_auc is None or value is None else value - champion.roc_auc
    other_data = f", {ON_OTHER_DATA}" if package.has_other_data(champion) else ""
    against = "" if lead is None else f", this one {lead:+.4f}{other_data}"
    other = f"version {champion.version}, {number(champion.roc_auc)}{against}" if champion else None
    yield "champion", other or "no other version is approved"
    if quality is None:
        yield "evaluation", "there is no report that can be read"
    elif quality.items is not None:
        yield "measured on", f"{quality.items:,} rows"
    yield "report", places.artifact(package.evaluation) if package.evaluation else None
    metrics = [each for each in quality.metrics if each.name not in _TOLD] if quality else []
    for start in range(0, len(metrics), _METRICS_A_LINE):
        yield "" if start else "metrics", ", ".join(map(_metric, metrics[start : start + _METRICS_A_LINE]))


def _metric(metric: Metric) -> str:
    return f"{metric_name(metric.name)} {metric.value:.4f}"


def _matrix(confusion: Confusion | None) -> Iterator[str]:
    if confusion is None or len(confusion.labels) > _MOST_CLASSES:
        return
    heads = [f"predicted {label}" for label in confusion.labels]
    rows = [[f"actual {label}" for label in confusion.labels]]
    width = max(len(head) for head in heads)
    left = max(map(len, rows[0]))
    yield "  " + " " * (_LABEL + 1) + " " * left + "".join(f"  {head:>{width}}" for head in heads)
    for label, counts in zip(rows[0], confusion.counts, strict=True):
        yield f"  {'':<{_LABEL}} {label:<{left}}" + "".join(f"  {count:>{width},}" for count in counts)


def _lineage(dossier: Dossier, places: Places, now: datetime) -> Iterator[Fact]:
    package = dossier.package
    seconds = (now - package.created).total_seconds()
    yield "registered", f"{package.created.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {age(seconds)} ago"
    yield "execution", package.execution or "unknown"
    yield "commit", package.commit or "unknown"
    yield "repository", package.repository
    yield "data hash", package.properties.get("InputDataHash") or "unknown"
    yield "code hash", package.properties.get("CodeHash") or "unknown"
    yield "ran on", _ran_on(dossier.instance_types)
    yield "image", package.image
    yield "model", places.artifact(package.model) if package.model else None


def _ran_on(instance_types: Mapping[str, str]) -> str:
    used: dict[str, list[str]] = {}
    for name, instance_type in instance_types.items():
        used.setdefault(instance_type, []).append(name.removesuffix("InstanceType"))
    return ", ".join(f"{instance_type} ({', '.join(names)})" for instance_type, names in used.items())


def _use(package: ModelPackage) -> Iterator[Fact]:
    yield "takes", ", ".join(package.content_types)
    yield "answers", ", ".join(package.response_types)
    yield "instances", ", ".join(package.instance_types)
    yield "ARN", package.arn


def _decided(package: ModelPackage) -> Iterator[Fact]:
    yield "status", package.status
    yield "approval", package.approval
    yield from _history(package.approval_note)
    yield "stage", f"{package.stage}: {package.stage_status}" if package.stage else "none yet"
    yield from _history(package.stage_note)


def _history(note: str | None) -> Iterator[Fact]:
    for count, text in enumerate(history(note)):
        yield "  before" if count else "", text
