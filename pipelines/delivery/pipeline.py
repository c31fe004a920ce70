"""The pipeline as the service holds it: created when new, updated when changed, else left alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipelines.delivery.definition import same_definition

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import TagTypeDef

Change = Literal["created", "updated", "unchanged"]

# Longer ones go by way of S3, as the SDK sends them: a request has its limits before the definition has.
INLINE_BYTES = 100 * 1024


@dataclass(frozen=True)
class PipelineOrder:
    """A pipeline as it should stand in the service."""

    name: str
    definition: str
    role_arn: str
    description: str | None = None
    tags: tuple[TagTypeDef, ...] = ()
    bucket: str | None = None


def upsert(client: SageMakerClient, order: PipelineOrder, session: boto3.Session) -> Change:
    """Bring the service's pipeline to what is ordered and say what that took."""
    try:
        current = client.describe_pipeline(PipelineName=order.name)
    except client.exceptions.ResourceNotFound:
        _create(client, order, session)
        return "created"
    if order.tags:
        client.add_tags(ResourceArn=current["PipelineArn"], Tags=order.tags)
    if _is_current(dict(current), order):
        return "unchanged"
    client.update_pipeline(PipelineName=order.name, **_definition(order, session), **_optional(order))
    return "updated"


def _create(client: SageMakerClient, order: PipelineOrder, session: boto3.Session) -> None:
    tags: dict[str, Any] = {"Tags": order.tags} if order.tags else {}
    client.create_pipeline(PipelineName=order.name, **_definition(order, session), **_optional(order), **tags)


def _definition(order: PipelineOrder, session: boto3.Session) -> dict[str, Any]:
    content = order.definition.encode()
    if len(content) < INLINE_BYTES:
        return {"PipelineDefinition": order.definition}
    # Few definitions are that long; the others do not pay for the import.
    from pipelines.delivery.bucket import default_bucket  # noqa: PLC0415

    bucket = order.bucket or default_bucket(session)
    # Under its hash it can only replace itself.
    key = f"pipelines/{order.name}/definitions/{hashlib.sha256(content).hexdigest()}.json"
    session.client("s3").put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/json")
    return {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}


def _optional(order: PipelineOrder) -> dict[str, Any]:
    description = {"PipelineDescription": order.description} if order.description else {}
    return {"RoleArn": order.role_arn, **description}


def _is_current(current: dict[str, Any], order: PipelineOrder) -> bool:
    return (
        same_definition(current.get("PipelineDefinition"), order.definition)
        and current.get("RoleArn") == order.role_arn
        and order.description in {None, "", current.get("PipelineDescription")}
    )
