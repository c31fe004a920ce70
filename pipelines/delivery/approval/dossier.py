"""All that is known of a model package, gathered for whoever decides about it. What may not be read is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipelines.delivery.documents import read_document
from pipelines.delivery.packages import ModelPackage, find_champion
from pipelines.delivery.report.quality import Quality, read_quality

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_sagemaker import SageMakerClient

# An execution of another account, a deleted one, and one that this identity may not see.
_UNREADABLE = frozenset({"AccessDeniedException", "ResourceNotFound", "ValidationException"})


@dataclass(frozen=True)
class Dossier:
    """A model package, the champion that it is held against, its evaluation, and the instance types of its execution.

    Instance types go by the names of the pipeline's parameters.
    """

    package: ModelPackage
    champion: ModelPackage | None = None
    quality: Quality | None = None
    instance_types: Mapping[str, str] = field(default_factory=dict)


def gather_dossier(session: boto3.Session, client: SageMakerClient, package: ModelPackage) -> Dossier:
    """Return what is known of a package."""
    uri = package.evaluation
    return Dossier(
        package=package,
        champion=find_champion(client, package.group, but=package.arn),
        quality=read_quality(read_document(session.client("s3"), uri)) if uri else None,
        instance_types=_instance_types(client, package.execution) if package.execution else {},
    )


def _instance_types(client: SageMakerClient, execution: str) -> dict[str, str]:
    pages = client.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=execution)
    try:
        found = {each["Name"]: each["Value"] for page in pages for each in page["PipelineParameters"]}
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNREADABLE:
            raise
        return {}
    return {name: value for name, value in found.items() if name.endswith("InstanceType")}
