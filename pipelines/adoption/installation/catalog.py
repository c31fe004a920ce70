"""The project template as a product of Service Catalog: one version for each template that was installed."""

from __future__ import annotations

from typing import Any

from pipelines.adoption.account import Account


def versions(account: Account, product: str) -> dict[str, str]:
    """Return the ids of a product's versions, by their names."""
    client: Any = account.client("servicecatalog")
    found = client.list_provisioning_artifacts(ProductId=product)["ProvisioningArtifactDetails"]
    return {version["Name"]: version["Id"] for version in found}


def add_version(account: Account, product: str, name: str, template_url: str) -> None:
    """Add a version; Service Catalog keeps a copy of its template."""
    account.client("servicecatalog").create_provisioning_artifact(
        ProductId=product,
        Parameters={"Name": name, "Info": {"LoadTemplateFromURL": template_url}, "Type": "CLOUD_FORMATION_TEMPLATE"},
        IdempotencyToken=name,
    )
