"""Which model package an endpoint config serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipelines.delivery.deployment.found import found, is_absent
from pipelines.delivery.packages import ModelPackage, describe

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def package_of(client: SageMakerClient, config: str) -> ModelPackage | None:
    """Return the model package behind an endpoint config; none where one of them is gone."""
    try:
        return describe(client, arn) if (arn := package_arn(client, config)) else None
    except ClientError as error:
        if not is_absent(error):
            raise
        return None


def package_arn(client: SageMakerClient, config: str) -> str | None:
    """Return the ARN of the model package behind an endpoint config, which may be gone from the registry."""
    if not (described := found(client.describe_endpoint_config, EndpointConfigName=config)):
        return None
    names = (variant.get("ModelName") for variant in described["ProductionVariants"])
    if not (name := next(names, None)) or not (model := found(client.describe_model, ModelName=name)):
        return None
    containers = [model.get("PrimaryContainer") or {}, *model.get("Containers", ())]
    return next((each["ModelPackageName"] for each in containers if each.get("ModelPackageName")), None)
