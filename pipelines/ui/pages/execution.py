"""The page of an execution."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.delivery.report import panels
from pipelines.delivery.report.gather import gather
from pipelines.delivery.run import review
from pipelines.ui.rendering import render, site


def show(request: Request) -> Response:
    """Show an execution."""
    pipeline, name = request.path_params["pipeline"], request.path_params["execution"]
    place = site(request).client.describe_pipeline(PipelineName=pipeline)["PipelineArn"]
    result = review(site(request), f"{place}/execution/{name}")
    facts = gather(site(request), result)
    shown = {"title": f"{pipeline} {name}", "pipeline": pipeline, "name": name, "verdict": panels.verdict(facts)}
    return render(request, "execution.html", shown, live=not result.execution.has_ended)


ROUTES = (Route("/pipelines/{pipeline}/executions/{execution}", show),)
