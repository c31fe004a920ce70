"""Where a model package serves: what the endpoints of the stages say, which deploy-model names after their group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Served:
    """The versions of a group that the endpoint of each stage serves, and the stages that could not be seen."""

    versions: Mapping[Stage, frozenset[int]] = field(default_factory=dict)
    unseen: tuple[Stage, ...] = ()

    def stages_of(self, version: int) -> tuple[Stage, ...]:
        """Return the stages that serve a version."""
        return tuple(stage for stage, versions in self.versions.items() if version in versions)


def find_serving(client: SageMakerClient, package: ModelPackage, stages: Iterable[Stage] = STAGES) -> Serving:
    """Look for a package at the endpoints of stages."""
    served = find_served(client, package.group, stages)
    return Serving(served.stages_of(package.version), served.unseen)


def find_served(client: SageMakerClient, group: str, stages: Iterable[Stage] = STAGES) -> Served:
    """Look at the endpoints of stages; what this identity may not see is told and fails nothing."""
    versions: dict[Stage, frozenset[int]] = {}
    unseen: list[Stage] = []
    for stage in stages:
        try:
            endpoint = found(client.describe_endpoint, EndpointName=endpoint_name(group, stage))
        except (BotoCoreError, ClientError):
            unseen.append(stage)
            continue
        if endpoint:
            versions[stage] = _versions(endpoint, stage)
    return Served(versions, tuple(unseen))


def _versions(endpoint: Mapping[str, Any], stage: Stage) -> frozenset[int]:
    """Return what serves, and during an update what is to serve, by the names of the endpoint configs."""
    if endpoint["EndpointStatus"] in _SILENT:
        return frozenset()
    told = (endpoint, endpoint.get("PendingDeploymentSummary", {}))
    pattern = re.compile(rf"-{stage}-v([0-9]+)-[0-9a-f]{{8}}$")
    named = (pattern.search(each.get("EndpointConfigName", "")) for each in told)
    return frozenset(int(match[1]) for match in named if match)
