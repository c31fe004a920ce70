"""The domains of SageMaker Studio: who creates projects there, and where they look for templates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.adoption.account import Account
from pipelines.delivery.errors import UsageError

LOCATION_TAG = "sagemaker:projectS3TemplatesLocation"


@dataclass(frozen=True)
class Domain:
    """A domain: its default execution role, and the S3 URI below which its users see templates."""

    id: str
    arn: str
    role: str | None
    location: str | None


def find_domain(account: Account, wanted: str | None) -> Domain | None:
    """Return the domain that is wanted, or the only one of the region; none where there is none."""
    listed = _listed(account)
    if wanted and wanted not in listed:
        known = f"there are {', '.join(listed)}" if listed else "there is none"
        raise UsageError(f"no domain {wanted} in {account.region}: {known}; AWS_DEFAULT_REGION chooses the region")
    if not wanted and len(listed) > 1:
        raise UsageError(f"{account.region} has the domains {', '.join(listed)}: choose one by --domain-id")
    return _describe(account, wanted or listed[0]) if listed else None


def all_domains(account: Account) -> Iterator[Domain]:
    """Yield every domain of the region."""
    return (_describe(account, name) for name in _listed(account))


def _listed(account: Account) -> list[str]:
    pages = account.client("sagemaker").get_paginator("list_domains").paginate()
    return [domain["DomainId"] for page in pages for domain in page["Domains"]]


def _describe(account: Account, name: str) -> Domain:
    client = account.client("sagemaker")
    described = client.describe_domain(DomainId=name)
    pages = client.get_paginator("list_tags").paginate(ResourceArn=described["DomainArn"])
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    role = described.get("DefaultUserSettings", {}).get("ExecutionRole")
    return Domain(name, described["DomainArn"], role, tags.get(LOCATION_TAG))
