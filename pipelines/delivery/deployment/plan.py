"""A plan: the model, the endpoint config and the way of its release that a package and an order come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.delivery.deployment.alarms import alarm_names
from pipelines.delivery.deployment.names import versioned_name
from pipelines.delivery.deployment.order import Canary, Capture, Order
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.packages import ModelPackage
from pipelines.delivery.tags import complete_tags

VARIANT = "AllTraffic"
INSTANCE_TYPE = "ml.m5.large"
ENDPOINT_TAG, STAGE_TAG = "deploy-model:endpoint", "deploy-model:stage"
# What UpdateEndpoint takes, and what starting and switching a fleet may need beside the waits.
_TIMEOUTS = (600, 28_800)
_STARTING_SECONDS = 1800


@dataclass(frozen=True)
class Plan:
    """What an endpoint is to serve: a config by name, and the requests that make it where it is missing."""

    config: str
    model_request: Mapping[str, Any] = field(default_factory=dict)
    config_request: Mapping[str, Any] = field(default_factory=dict)
    deployment: Mapping[str, Any] | None = None

    @property
    def way(self) -> str:
        """How the traffic is moved."""
        if self.deployment is None:
            return "all at once"
        routing = self.deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
        return f"{routing['CanarySize']['Value']}% of the capacity first, for {routing['WaitIntervalInSeconds']} s"


def make_plan(package: ModelPackage, order: Order) -> Plan:
    """Return the plan; the same package and order come to the same names."""
    if order.role_arn is None:
        raise UsageError("--role-arn is needed in AWS: the ARN of the role that the endpoint runs with")
    # A package has no network, and an endpoint has that of its model.
    network = {"VpcConfig": order.vpc} if order.vpc else {}
    model = {"Containers": [{"ModelPackageName": package.arn}], "ExecutionRoleArn": order.role_arn, **network}
    # Whose they are belongs to the names: what one stage removes, another must not miss.
    owner = {ENDPOINT_TAG: order.endpoint, STAGE_TAG: order.stage}
    model_name = versioned_name(package.group, "", package.version, {**model, **owner})
    config = _config(package, order, model_name)
    config_name = versioned_name(package.group, f"-{order.stage}", package.version, {**config, **owner})
    tags = {"Tags": tags_of(order)}
    return Plan(
        config=config_name,
        model_request={"ModelName": model_name, **model, **tags},
        config_request={"EndpointConfigName": config_name, **config, **tags},
        deployment=_deployment(order.canary, order.endpoint) if order.canary else None,
    )


def tags_of(order: Order) -> list[dict[str, str]]:
    """Return the tags of everything that a deployment makes."""
    own = [{"Key": ENDPOINT_TAG, "Value": order.endpoint}, {"Key": STAGE_TAG, "Value": order.stage}]
    given = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in complete_tags(order.tags)]
    return [*own, *given]


def _config(package: ModelPackage, order: Order, model: str) -> dict[str, Any]:
    variant = {
        "VariantName": VARIANT,
        "ModelName": model,
        "InitialInstanceCount": order.instance_count,
        "InstanceType": order.instance_type or next(iter(package.instance_types), INSTANCE_TYPE),
        "InitialVariantWeight": 1.0,
    }
    key = {"KmsKeyId": order.kms_key} if order.kms_key else {}
    capture = (
        {"DataCaptureConfig": {**_capture(order.capture, package, order.endpoint), **key}} if order.capture else {}
    )
    return {"ProductionVariants": [variant], **capture, **key}


def _capture(capture: Capture, package: ModelPackage, endpoint: str) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": capture.percent,
        "DestinationS3Uri": capture.uri or _capture_uri(package, endpoint),
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        # Else the service keeps the texts as base64.
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }


def _capture_uri(package: ModelPackage, endpoint: str) -> str:
    if not (package.model or "").startswith("s3://"):
        raise DeliveryError(
            f"{package.name} names no model in S3, whose bucket would take captures: give --capture-uri"
        )
    bucket = str(package.model).removeprefix("s3://").partition("/")[0]
    return f"s3://{bucket}/data-capture/{endpoint}"


def _deployment(canary: Canary, endpoint: str) -> dict[str, Any]:
    shortest, longest = _TIMEOUTS
    seconds = _STARTING_SECONDS + 2 * canary.bake + canary.termination_wait
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": canary.percent},
                "WaitIntervalInSeconds": canary.bake,
            },
            "TerminationWaitInSeconds": canary.termination_wait,
            "MaximumExecutionTimeoutInSeconds": min(max(seconds, shortest), longest),
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarm_names(endpoint)]},
    }
