"""Which model package an endpoint config serves."""

from __future__ import annotations

from botocore.exceptions import ClientError

from pipelines.delivery.deployment.found import found, is_absent
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.packages import ModelPackage, describe


def package_of(tools: Tools, config: str) -> ModelPackage | None:
    """Return the model package behind an endpoint config; none where one of them is gone."""
    try:
        return describe(tools.sagemaker, arn) if (arn := package_arn(tools, config)) else None
    except ClientError as error:
        if not is_absent(error):
            raise
        return None


def package_arn(tools: Tools, config: str) -> str | None:
    """Return the ARN of the model package behind an endpoint config, which may be gone from the registry."""
    client = tools.sagemaker
    if not (described := found(client.describe_endpoint_config, EndpointConfigName=config)):
        return None
    names = (variant.get("ModelName") for variant in described["ProductionVariants"])
    if not (name := next(names, None)) or not (model := found(client.describe_model, ModelName=name)):
        return None
    containers = [model.get("PrimaryContainer") or {}, *model.get("Containers", ())]
    return next((each["ModelPackageName"] for each in containers if each.get("ModelPackageName")), None)
