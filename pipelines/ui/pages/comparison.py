"""Versions of a model side by side: how good they are, what they were made of, and what was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.delivery.approval.dossier import execution_parameters
from pipelines.delivery.approval.listing import number as four_digits
from pipelines.delivery.approval.serving import find_served
from pipelines.delivery.documents import read_document
from pipelines.delivery.packages import ModelPackage, find_champion
from pipelines.delivery.report.numbers import number, signed
from pipelines.delivery.report.quality import Quality, read_quality
from pipelines.delivery.report.words import metric_name
from pipelines.delivery.wording import ON_OTHER_DATA
from pipelines.ui.pages.registry import find_version, read_versions
from pipelines.ui.rendering import render, site

if TYPE_CHECKING:
    from pipelines.delivery.run import Site

MOST = 4
UNKNOWN = "unknown"
_LETTERS = 12


@dataclass(frozen=True)
class Version:
    """A version with its evaluation and the parameters of its execution, as far as they can be read."""

    package: ModelPackage
    quality: Quality | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


Cell = Callable[[Version], str]


@dataclass(frozen=True)
class Row:
    """A fact of each version."""

    name: str
    cells: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether it is not the same for all."""
        return len(set(self.cells)) > 1


def read_version(place: Site, package: ModelPackage) -> Version:
    """Return what is known of a version; a ROC AUC that its package does not tell is that of its evaluation."""
    uri, execution = package.evaluation, package.execution
    quality = read_quality(read_document(place.s3, uri)) if uri else None
    if package.roc_auc is None and quality:
        package = replace(package, roc_auc=quality.find("auc"))
    return Version(package, quality, execution_parameters(place.client, execution) if execution else {})


def quality_rows(versions: Sequence[Version], champion: ModelPackage | None) -> list[Row]:
    """Return how good the versions are."""
    facts: dict[str, Cell] = {"ROC AUC": lambda each: four_digits(each.package.roc_auc)}
    if champion:
        facts[f"against version {champion.version}"] = lambda each: _lead(each.package, champion)
    facts["threshold"] = lambda each: known(each.package.threshold)
    facts["rows measured"] = lambda each: known(each.quality.items if each.quality else None)
    measured = dict.fromkeys(metric.name for each in versions if each.quality for metric in each.quality.metrics)
    values = [
        Row(metric_name(name), tuple(known(each.quality.find(name) if each.quality else None) for each in versions))
        for name in measured
        if name != "auc"
    ]
    return [*_rows(facts, versions), *values]


def lineage_rows(versions: Sequence[Version]) -> list[Row]:
    """Return what the versions were made of."""
    facts: dict[str, Cell] = {
        "commit": lambda each: _short(each.package.commit),
        "data hash": lambda each: _short(each.package.properties.get("InputDataHash")),
        "code hash": lambda each: _short(each.package.properties.get("CodeHash")),
        "image": lambda each: (each.package.image or UNKNOWN).rpartition("/")[2],
    }
    return _rows(facts, versions)


def parameter_rows(versions: Sequence[Version]) -> list[Row]:
    """Return the parameters of the executions that made the versions."""
    names = dict.fromkeys(name for each in versions for name in each.parameters)
    return [Row(name, tuple(each.parameters.get(name, UNKNOWN) for each in versions)) for name in names]


def known(value: float | None) -> str:
    """Return a number, or that there is none."""
    return UNKNOWN if value is None else number(value)


def _rows(facts: Mapping[str, Cell], versions: Sequence[Version]) -> list[Row]:
    return [Row(name, tuple(map(cell, versions))) for name, cell in facts.items()]


def _lead(package: ModelPackage, champion: ModelPackage) -> str:
    if package.arn == champion.arn:
        return "itself"
    lead = package.lead(champion)
    other = f", {ON_OTHER_DATA}" if package.has_other_data(champion) else ""
    return UNKNOWN if lead is None else f"{signed(lead)}{other}"


def _short(text: str | None) -> str:
    return (text or UNKNOWN)[:_LETTERS]


def show(request: Request) -> Response:
    """Show the versions that the address names, or else the two newest ones."""
    place, group = site(request), request.path_params["group"]
    chosen = list(dict.fromkeys(request.query_params.getlist("version")))
    packages = [find_version(place.client, group, each) for each in chosen[:MOST]]
    if not packages:
        packages = read_versions(place.client, group)[0][:2]
    versions = [read_version(place, each) for each in packages]
    champion = find_champion(place.client, group)
    parameters = parameter_rows(versions)
    shown = {
        "title": f"{group}, side by side",
        "group": group,
        "packages": packages,
        "champion": champion,
        "served": find_served(place.client, group),
        "sections": {
            "Quality": quality_rows(versions, champion),
            "Made of": lineage_rows(versions),
            "Parameters that differ": [row for row in parameters if row.differs],
        },
        "same": [row for row in parameters if not row.differs],
        "left_out": max(0, len(chosen) - MOST),
    }
    return render(request, "comparison.html", shown)


ROUTES = (Route("/registry/{group}/compare", show),)
