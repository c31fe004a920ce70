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
    from mypy_boto3_sagemaker import SageMakerClient

    from pipelines.delivery.run import Site

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


def gather_dossier(site: Site, package: ModelPackage) -> Dossier:
    """Return what is known of a package."""
    uri, execution = package.evaluation, package.execution
    parameters = execution_parameters(site.client, execution) if execution else {}
    return Dossier(
        package=package,
        champion=find_champion(site.client, package.group, but=package.arn),
        quality=read_quality(read_document(site.s3, uri)) if uri else None,
        instance_types={name: value for name, value in parameters.items() if name.endswith("InstanceType")},
    )


def execution_parameters(client: SageMakerClient, execution: str) -> dict[str, str]:
    """Return the parameters that an execution ran with, by their names; none where they cannot be read any more."""
    pages = client.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=execution)
    try:
        return {each["Name"]: each["Value"] for page in pages for each in page["PipelineParameters"]}
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNREADABLE:
            raise
        return {}
