"""An endpoint as the service has it at a moment, and the wait until it rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pipelines.delivery.deployment.found import found
from pipelines.delivery.deployment.rows import Rows
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.deployment.traffic import Traffic

IN_SERVICE, FAILED = "InService", "Failed"
_MOVING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
# While these last there are an old and a new fleet, of which the new one is to be tried.
_ROLLING_BACK = "RollingBack"
_SWITCHING = frozenset({"Updating", _ROLLING_BACK})


@dataclass(frozen=True)
class State:
    """What DescribeEndpoint says; phase is where a release is in its course.

    Whoever waited for it knows whether the service turned an update back.
    """

    arn: str
    status: str
    config: str | None
    modified: datetime
    pending: str | None = None
    phase: str | None = None
    reason: str | None = None
    was_turned_back: bool = False

    @property
    def is_moving(self) -> bool:
        """Whether the service is at work on it, and takes no other wish."""
        return self.status in _MOVING

    def serves(self, config: str) -> bool:
        """Whether requests are answered by this config, and by no other."""
        return self.status == IN_SERVICE and self.config == config


def look(tools: Tools, name: str) -> State | None:
    """Return the endpoint as it is now; none where there is none."""
    description = found(tools.sagemaker.describe_endpoint, EndpointName=name)
    return _state(description) if description else None


def settle(tools: Tools, name: str, rows: Rows | None = None) -> State | None:
    """Wait until the endpoint rests; the rows are sent to it, gently, while it goes from one fleet to another."""
    was_turned_back = False
    with Traffic(tools, name, rows) as traffic:
        for pause in tools.pauses():
            state = tools.patiently(lambda: look(tools, name), name)
            if state is None or not state.is_moving:
                break
            if state.status in _SWITCHING:
                traffic.start()
            was_turned_back = was_turned_back or state.status == _ROLLING_BACK
            tools.journal.status(f"{_course(state)}{traffic.told(tools.journal)} ({state.pending or name})")
            tools.attention.pause(pause, name)
    if summary := traffic.summary():
        tools.journal.say(summary)
    # Either is enough, for the service promises a reason for what has failed only.
    return replace(state, was_turned_back=was_turned_back or state.reason is not None) if state else None


def _state(description: Mapping[str, Any]) -> State:
    pending = description.get("PendingDeploymentSummary", {})
    return State(
        arn=description["EndpointArn"],
        status=description["EndpointStatus"],
        config=description.get("EndpointConfigName"),
        modified=description["LastModifiedTime"],
        pending=pending.get("EndpointConfigName"),
        phase=_phase(pending.get("ProductionVariants", ())),
        reason=description.get("FailureReason"),
    )


def _phase(variants: Any) -> str | None:
    statuses = (status["Status"] for variant in variants for status in variant.get("VariantStatus", ()))
    return next(statuses, None)


def _course(state: State) -> str:
    return f"{state.status}, {state.phase}" if state.phase else state.status
