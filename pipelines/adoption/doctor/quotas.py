"""The account's quotas for the instances that a project asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.adoption.doctor.finding import Finding, ok, problem
from pipelines.adoption.doctor.subject import Subject
from pipelines.delivery.settings import Settings

SERVICE = "sagemaker"
# An update of production's two instances takes as many more for a while, beside staging's one.
ENDPOINT_INSTANCES = 5


def needed_quotas(settings: Settings) -> dict[str, int]:
    """Return what a run, two stages and an update of one take at most, by the quotas' names."""
    return {
        f"{settings.processing_instance_type} for processing job usage": 1,
        f"{settings.training_instance_type} for training job usage": settings.max_parallel_tuning_jobs,
        f"{settings.hosting_instance_type} for endpoint usage": ENDPOINT_INSTANCES,
    }


def check_quotas(subject: Subject) -> Iterator[Finding]:
    """Compare the quotas with what a run and two stages take."""
    wanted = needed_quotas(subject.settings)
    client = subject.account.client("service-quotas")
    found = _named(client, "list_service_quotas", wanted)
    if wanted.keys() - found.keys():
        # What nobody has raised may be known by its default only.
        found = _named(client, "list_aws_default_service_quotas", wanted) | found
    for name, count in wanted.items():
        yield _judge(name, count, found.get(name))


def _judge(name: str, count: int, quota: Mapping[str, Any] | None) -> Finding:
    title = f"quota {name}"
    if quota is None:
        return problem(
            title, "AWS knows no such quota here: the region may not have this instance type", "choose another"
        )
    value = int(quota["Value"])
    if value >= count:
        return ok(title, f"{value}, and {count} is enough")
    return problem(
        title,
        f"{value}, and {count} are needed",
        f"aws service-quotas request-service-quota-increase --service-code {SERVICE} "
        f"--quota-code {quota['QuotaCode']} --desired-value {count}",
    )


def _named(client: Any, operation: str, names: Mapping[str, int]) -> dict[str, Any]:
    pages = client.get_paginator(operation).paginate(ServiceCode=SERVICE)
    return {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"] if quota["QuotaName"] in names}
