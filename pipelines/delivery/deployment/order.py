"""What was asked for: a stage's endpoint, how it is released, and what it must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.lifecycle import Stage
from pipelines.delivery.packages import APPROVED, COMPLETED, ModelPackage

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import TagTypeDef

MAX_LATENCY, AUC_TOLERANCE = 1000.0, 0.02


@dataclass(frozen=True)
class Canary:
    """The part of the traffic that a new version gets first, and the seconds that each part is watched."""

    percent: int
    bake: int
    termination_wait: int


@dataclass(frozen=True)
class Capture:
    """The part of the requests and answers that is kept, and where; below the model's bucket unless that is said."""

    percent: int
    uri: str | None = None


@dataclass(frozen=True)
class Limits:
    """What the endpoint must hold: milliseconds at the 95th percentile, and a difference of ROC AUC."""

    latency: float = MAX_LATENCY
    auc_tolerance: float = AUC_TOLERANCE


@dataclass(frozen=True)
class Order:
    """An endpoint as it is asked for; what is none is the package's or the service's own."""

    stage: Stage
    group: str
    endpoint: str
    role_arn: str | None = None
    vpc: Mapping[str, Sequence[str]] | None = None
    instance_type: str | None = None
    instance_count: int = 1
    canary: Canary | None = None
    capture: Capture | None = None
    kms_key: str | None = None
    limits: Limits = Limits()
    test_data: str | None = None
    tags: tuple[TagTypeDef, ...] = ()
    needs_stage_approval: bool = False


def check_approved(package: ModelPackage, order: Order) -> None:
    """Refuse a package that nobody approved, or that somebody rejected for this stage."""
    if package.status != COMPLETED:
        raise DeliveryError(f"model package {package.name} is {package.status}: only a Completed one can be deployed")
    if package.approval != APPROVED:
        raise DeliveryError(
            f"model package {package.name} is {package.approval}, not Approved: "
            f"approve it first (approve-model {package.version} --approve), or name another one"
        )
    if turned_down := package.turned_down(order.stage):
        raise DeliveryError(
            f"model package {turned_down}; to deploy it all the same, approve it there and say why "
            f"(approve-model {package.version} --approve --stage {package.stage} --force --note WHY)"
        )
    # What is Deployed may have been so without anybody's approval for the stage.
    if order.needs_stage_approval and (package.stage, package.stage_status) != (order.stage, APPROVED):
        is_now = f"{package.stage_status} in {package.stage}" if package.stage else "of no stage"
        raise DeliveryError(
            f"model package {package.name} is {is_now}, not approved for {order.stage}: approve it for that stage "
            f"first (approve-model {package.version} --approve --stage {order.stage})"
        )
