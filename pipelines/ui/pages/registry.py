"""The model registry: its groups, and the versions of one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.delivery.approval.serving import find_served
from pipelines.delivery.deployment.found import found
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.packages import PENDING, ModelPackage, describe, find, find_champion
from pipelines.ui.rendering import missing, render, site

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

PER_PAGE = 20
MOST_COUNTED = 100


@dataclass(frozen=True)
class Group:
    """A model package group: how many versions wait for a decision, and the one that others are held against."""

    name: str
    created: datetime
    description: str = ""
    waiting: str = "nothing"
    champion: ModelPackage | None = None


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
            waiting=_waiting(client, each["ModelPackageGroupName"]),
            champion=find_champion(client, each["ModelPackageGroupName"]),
        )
        for each in answer["ModelPackageGroupSummaryList"]
    ]
    return groups, answer.get("NextToken")


def _waiting(client: SageMakerClient, group: str) -> str:
    """Say how many versions wait, without counting very many."""
    answer = client.list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus=PENDING, MaxResults=MOST_COUNTED
    )
    many = len(answer["ModelPackageSummaryList"])
    if "NextToken" in answer:
        return f"{many} versions or more"
    return {0: "nothing", 1: "1 version"}.get(many, f"{many} versions")


def read_versions(
    client: SageMakerClient, group: str, token: str | None = None
) -> tuple[list[ModelPackage], str | None]:
    """Return a page of a group's versions, the newest first, and the token of the next page."""
    wanted: Any = {"NextToken": token} if token else {}
    answer = client.list_model_packages(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", MaxResults=PER_PAGE, **wanted
    )
    packages = [describe(client, each["ModelPackageArn"]) for each in answer["ModelPackageSummaryList"]]
    return sorted(packages, key=lambda each: each.version, reverse=True), answer.get("NextToken")


def find_version(client: SageMakerClient, group: str, version: object) -> ModelPackage:
    """Return a version of a group.

    Raises:
        HTTPException: there is none, which is said as approve-model says it.
    """
    try:
        return find(client, group, str(version))
    except DeliveryError as error:
        raise missing(re.sub(r": (give|name).* --group.*", "", str(error))) from error


def same_models(packages: Sequence[ModelPackage]) -> dict[int, int]:
    """Return, by its version, the oldest other version of each package that has the same model file."""
    newest_first = sorted(packages, key=lambda each: each.version, reverse=True)
    oldest = {package.model: package.version for package in newest_first}
    return {each.version: oldest[each.model] for each in packages if each.model and oldest[each.model] != each.version}


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
    after = request.query_params.get("after")
    packages, token = read_versions(client, group, after)
    shown = {
        "title": group,
        "group": group,
        "description": described.get("ModelPackageGroupDescription", ""),
        "packages": packages,
        "champion": find_champion(client, group),
        "served": find_served(client, group),
        "same_models": same_models(packages),
        "older": token,
        "newest": not after,
    }
    return render(request, "group.html", shown)


ROUTES = (Route("/registry", show_groups), Route("/registry/{group}", show_group))
