"""The SageMaker projects that were made of the template, and need its launch role to be deleted again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.adoption.account import Account

_GONE = {"DeleteCompleted"}


def projects_of(account: Account, launch_role: str | None, product: str | None) -> list[str]:
    """Return the names of the projects that this launch role or this product made."""
    client = account.client("sagemaker")
    pages = client.get_paginator("list_projects").paginate()
    listed = [project for page in pages for project in page["ProjectSummaryList"]]
    names = [project["ProjectName"] for project in listed if project["ProjectStatus"] not in _GONE]
    return [name for name in names if _is_of(client.describe_project(ProjectName=name), launch_role, product)]


def _is_of(project: Mapping[str, Any], launch_role: str | None, product: str | None) -> bool:
    providers = (each.get("CfnTemplateProviderDetail", {}) for each in project.get("TemplateProviderDetails", []))
    roles = {provider.get("RoleARN") for provider in providers}
    products = {project.get("ServiceCatalogProvisioningDetails", {}).get("ProductId")}
    return (launch_role in roles - {None}) or (product in products - {None})
