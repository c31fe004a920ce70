"""The first page: pipelines, each with its latest executions."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.ui.rendering import render, site


def show(request: Request) -> Response:
    """Show all pipelines."""
    found = site(request).client.list_pipelines()["PipelineSummaries"]
    return render(request, "home.html", {"title": "Pipelines", "pipelines": found})


ROUTES = (Route("/", show),)
