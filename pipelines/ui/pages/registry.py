"""The model registry: its groups, and the versions of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.delivery.deployment.found import found
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.packages import PENDING, ModelPackage, describe, find, find_champion, list_arns
from pipelines.ui.rendering import missing, render, site

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

PER_PAGE = 20


@dataclass(frozen=True)
class Group:
    """A model package group: how many versions wait for a decision, and the one that others are held against."""

    name: str
    created: datetime
    description: str = ""
    waiting: int = 0
    champion: ModelPackage | None = None


@dataclass(frozen=True)
class Versions:
    """A page of a group's versions, the newest first; `older` is what the next page begins before, if there is one."""

    packages: Sequence[ModelPackage]
    total: int
    older: int | None = None


def read_groups(client: SageMakerClient, token: str | None = None) -> tuple[list[Group], str | None]:
    """Return a page of groups, the newest first, and the token of the next page."""
    wanted: Any = {"NextToken": token} if token else {}
    answer = client.list_model_package_groups(
        SortBy="CreationTime", SortOrder="Descending", MaxResults=PER_PAGE, **wanted
    )
    groups = [
        Group(
            name=each["ModelPackageGroupName"],
            created=each["CreationTime"],
            description=each.get("ModelPackageGroupDescription", ""),
            waiting=len(list_arns(client, each["ModelPackageGroupName"], approval=PENDING)),
            champion=find_champion(client, each["ModelPackageGroupName"]),
        )
        for each in answer["ModelPackageGroupSummaryList"]
    ]
    return groups, answer.get("NextToken")


def read_versions(client: SageMakerClient, group: str, before: int | None = None) -> Versions:
    """Return the newest versions of a group, of those before one."""
    arns = list_arns(client, group)
    left = [arn for arn in arns if before is None or _version(arn) < before]
    shown = left[:PER_PAGE]
    older = _version(shown[-1]) if len(left) > len(shown) else None
    return Versions([describe(client, arn) for arn in shown], len(arns), older)


def find_version(client: SageMakerClient, group: str, version: object) -> ModelPackage:
    """Return a version of a group.

    Raises:
        HTTPException: there is none, which is said as approve-model says it.
    """
    try:
        return find(client, group, str(version))
    except DeliveryError as error:
        raise missing(str(error)) from error


def _version(arn: str) -> int:
    return int(arn.rpartition("/")[2])


def show_groups(request: Request) -> Response:
    """Show all groups."""
    after = request.query_params.get("after")
    groups, token = read_groups(site(request).client, after)
    return render(
        request, "registry.html", {"title": "Model registry", "groups": groups, "older": token, "newest": not after}
    )


def show_group(request: Request) -> Response:
    """Show the versions of a group."""
    client, group = site(request).client, request.path_params["group"]
    if not (described := found(client.describe_model_package_group, ModelPackageGroupName=group)):
        raise missing(f"there is no model package group {group}")
    after = request.query_params.get("after", "")
    shown = {
        "title": group,
        "group": group,
        "description": described.get("ModelPackageGroupDescription", ""),
        "versions": read_versions(client, group, int(after) if after.isdecimal() else None),
        "champion": find_champion(client, group),
        "newest": not after,
    }
    return render(request, "group.html", shown)


ROUTES = (Route("/registry", show_groups), Route("/registry/{group}", show_group))
