"""The SageMaker projects that were made of the template, and need its launch role to be deleted again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.adoption.account import Account

_GONE = {"DeleteCompleted"}


def projects_of(account: Account, launch_role: str | None, product: str | None) -> list[str]:
    """Return the names of the projects that this launch role or this product made."""
    client = account.client("sagemaker")
    names = [project["ProjectName"] for project in _listed(client) if project["ProjectStatus"] not in _GONE]
    return [name for name in names if _is_of(client.describe_project(ProjectName=name), launch_role, product)]


def _listed(client: Any) -> Iterator[Mapping[str, Any]]:
    # Page by page by hand, for not every botocore has a paginator of it.
    more: dict[str, str] = {}
    while True:
        page = client.list_projects(**more)
        yield from page["ProjectSummaryList"]
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _is_of(project: Mapping[str, Any], launch_role: str | None, product: str | None) -> bool:
    providers = (each.get("CfnTemplateProviderDetail", {}) for each in project.get("TemplateProviderDetails", []))
    roles = {provider.get("RoleARN") for provider in providers}
    products = {project.get("ServiceCatalogProvisioningDetails", {}).get("ProductId")}
    return (launch_role in roles - {None}) or (product in products - {None})
