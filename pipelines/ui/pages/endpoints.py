"""Endpoints: which there are, how they stand, and which version of a model each serves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.delivery.deployment.found import found
from pipelines.delivery.deployment.serving import package_arn
from pipelines.ui.rendering import render, site

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

PER_PAGE = 20
# Statuses in which something is being done to an endpoint.
MOVING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


@dataclass(frozen=True)
class Served:
    """A version of a model by its group and number."""

    group: str
    version: str

    @property
    def name(self) -> str:
        """Group and version, as people call it."""
        return f"{self.group}/{self.version}"


@dataclass(frozen=True)
class Endpoint:
    """An endpoint in the list; what it serves is none where no model package tells it."""

    name: str
    status: str
    modified: datetime
    config: str | None = None
    serves: Served | None = None


def served_by(client: SageMakerClient, config: str | None) -> Served | None:
    """Return the version of a model that is behind an endpoint config."""
    arn = package_arn(client, config) if config else None
    if arn is None:
        return None
    group, _, version = arn.partition(":model-package/")[2].partition("/")
    return Served(group, version) if version else None


def read_endpoints(client: SageMakerClient, token: str | None = None) -> tuple[list[Endpoint], str | None]:
    """Return a page of endpoints, the newest first, and the token of the next page."""
    wanted: Any = {"NextToken": token} if token else {}
    answer = client.list_endpoints(SortBy="CreationTime", SortOrder="Descending", MaxResults=PER_PAGE, **wanted)
    listed = [_endpoint(client, each["EndpointName"]) for each in answer["Endpoints"]]
    # One may have been deleted since it was listed.
    return [each for each in listed if each], answer.get("NextToken")


def _endpoint(client: SageMakerClient, name: str) -> Endpoint | None:
    described = found(client.describe_endpoint, EndpointName=name)
    if described is None:
        return None
    config = described.get("EndpointConfigName")
    return Endpoint(
        name=name,
        status=described["EndpointStatus"],
        modified=described["LastModifiedTime"],
        config=config,
        serves=served_by(client, config),
    )


def show(request: Request) -> Response:
    """Show all endpoints."""
    after = request.query_params.get("after")
    endpoints, token = read_endpoints(site(request).client, after)
    shown = {"title": "Endpoints", "endpoints": endpoints, "older": token, "newest": not after}
    return render(request, "endpoints.html", shown, live=any(each.status in MOVING for each in endpoints))


ROUTES = (Route("/endpoints", show),)
