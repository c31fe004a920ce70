"""The first page: pipelines, each with its latest executions; and the page of all executions of one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.ui.rendering import address, render, site
from pipelines.ui.runs import Listing, Runs

if TYPE_CHECKING:
    from pipelines.delivery.run import Site

PIPELINES = 8
LATEST = 8
EXECUTIONS = 25


@dataclass(frozen=True)
class Section:
    """A pipeline with some of its executions."""

    name: str
    description: str
    address: str
    runs: Listing


def show_all(request: Request) -> Response:
    """Show the pipelines, the newest first."""
    after = request.query_params.get("after")
    page: Mapping[str, Any] = {"NextToken": after} if after else {}
    answer = site(request).client.list_pipelines(SortBy="CreationTime", MaxResults=PIPELINES, **page)
    sections = [
        Section(
            name=each["PipelineName"],
            description=each.get("PipelineDescription", ""),
            address=address("pipelines", each["PipelineName"]),
            runs=runs(request).list(each["PipelineName"], LATEST),
        )
        for each in answer["PipelineSummaries"]
    ]
    facts = {
        "title": "Pipelines",
        "sections": sections,
        "command": _command(site(request)),
        "root": _root(site(request)),
        "older": answer.get("NextToken"),
        "newest": not after,
    }
    return render(request, "home.html", facts, live=any(each.runs.is_live for each in sections))


def show_one(request: Request) -> Response:
    """Show a pipeline's executions, a page of them at once."""
    name, after = request.path_params["pipeline"], request.query_params.get("after")
    described = site(request).client.describe_pipeline(PipelineName=name)
    found = runs(request).list(described["PipelineName"], EXECUTIONS, after)
    facts = {
        "title": described["PipelineName"],
        "description": described.get("PipelineDescription", ""),
        "described": described,
        "runs": found,
        "newest": not after,
    }
    return render(request, "pipeline.html", facts, live=found.is_live)


def _command(place: Site) -> str:
    """Return what a person types to run a pipeline here."""
    here = ["--local", "--local-root", str(place.places.root)] if place.places.root else []
    return shlex.join(["run-pipeline", *here])


def _root(place: Site) -> str | None:
    return str(place.places.root.absolute()) if place.places.root else None


def runs(request: Request) -> Runs:
    """Return the executions that this server knows of."""
    found: Runs = request.app.state.runs
    return found


ROUTES = (Route("/", show_all), Route("/pipelines/{pipeline}", show_one))
