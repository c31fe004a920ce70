"""Where a model package serves: what the endpoints of the stages say, which deploy-model names after their group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.delivery.deployment.found import found
from pipelines.delivery.deployment.names import endpoint_name
from pipelines.delivery.lifecycle import STAGES, Stage

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

    from pipelines.delivery.packages import ModelPackage

# Answering nobody, now or soon.
_SILENT = frozenset({"Deleting", "Failed", "OutOfService"})


@dataclass(frozen=True)
class Serving:
    """The stages whose endpoints serve a package, or are about to, and those whose endpoints could not be seen."""

    stages: tuple[Stage, ...] = ()
    unseen: tuple[Stage, ...] = ()


def find_serving(client: SageMakerClient, package: ModelPackage, stages: Iterable[Stage] = STAGES) -> Serving:
    """Look at the endpoints of stages; what this identity may not see is told and fails nothing."""
    serving: list[Stage] = []
    unseen: list[Stage] = []
    for stage in stages:
        try:
            endpoint = found(client.describe_endpoint, EndpointName=endpoint_name(package.group, stage))
        except (BotoCoreError, ClientError):
            unseen.append(stage)
            continue
        if endpoint and package.version in _versions(endpoint, stage):
            serving.append(stage)
    return Serving(tuple(serving), tuple(unseen))


def _versions(endpoint: Mapping[str, Any], stage: Stage) -> set[int]:
    """Return what serves, and during an update what is to serve, by the names of the endpoint configs."""
    if endpoint["EndpointStatus"] in _SILENT:
        return set()
    told = (endpoint, endpoint.get("PendingDeploymentSummary", {}))
    pattern = re.compile(rf"-{stage}-v([0-9]+)-[0-9a-f]{{8}}$")
    named = (pattern.search(each.get("EndpointConfigName", "")) for each in told)
    return {int(match[1]) for match in named if match}
