"""The pipeline as the service holds it: created when new, updated when changed, else left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipelines.delivery.definition import same_definition

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import TagTypeDef

Change = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class PipelineOrder:
    """A pipeline as it should stand in the service."""

    name: str
    definition: str
    role_arn: str
    description: str | None = None
    tags: tuple[TagTypeDef, ...] = ()


def upsert(client: SageMakerClient, order: PipelineOrder) -> Change:
    """Bring the service's pipeline to what is ordered and say what that took."""
    try:
        current = client.describe_pipeline(PipelineName=order.name)
    except client.exceptions.ResourceNotFound:
        _create(client, order)
        return "created"
    if order.tags:
        client.add_tags(ResourceArn=current["PipelineArn"], Tags=order.tags)
    if _is_current(dict(current), order):
        return "unchanged"
    client.update_pipeline(PipelineName=order.name, PipelineDefinition=order.definition, **_optional(order))
    return "updated"


def _create(client: SageMakerClient, order: PipelineOrder) -> None:
    tags: dict[str, Any] = {"Tags": order.tags} if order.tags else {}
    client.create_pipeline(PipelineName=order.name, PipelineDefinition=order.definition, **_optional(order), **tags)


def _optional(order: PipelineOrder) -> dict[str, Any]:
    description = {"PipelineDescription": order.description} if order.description else {}
    return {"RoleArn": order.role_arn, **description}


def _is_current(current: dict[str, Any], order: PipelineOrder) -> bool:
    return (
        same_definition(current.get("PipelineDefinition"), order.definition)
        and current.get("RoleArn") == order.role_arn
        and order.description in {None, "", current.get("PipelineDescription")}
    )
