"""How an update moves traffic to the new fleet: a DeploymentConfig, as steps in time."""

from dataclasses import dataclass

from pipelines.local.database import Document

# The service's defaults.
TIME_LIMIT_SECONDS = 14_400.0
ALL_AT_ONCE: Document = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}


@dataclass(frozen=True)
class Stage:
    """A share of the traffic, from 0 to 1, that the new fleet gets, and how long it is watched with that."""

    share: float
    seconds: float


@dataclass(frozen=True)
class Plan:
    """The stages of a deployment, the last with all of the traffic, and how long the old fleet is kept after that.

    The new fleet is given up when one of the alarms rings, or when all has taken longer than the limit.
    """

    stages: tuple[Stage, ...]
    termination_seconds: float = 0.0
    time_limit: float = TIME_LIMIT_SECONDS
    alarms: tuple[str, ...] = ()


def plan_of(config: Document | None, instances: int) -> Plan:
    """Return the plan of a DeploymentConfig, whose sizes may be numbers of the new fleet's instances."""
    config = config or {}
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", ALL_AT_ONCE)
    bake = float(routing.get("WaitIntervalInSeconds", 0))
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    return Plan(
        tuple(Stage(share, bake) for share in _shares(routing, instances)),
        float(policy.get("TerminationWaitInSeconds", 0)),
        float(policy.get("MaximumExecutionTimeoutInSeconds", TIME_LIMIT_SECONDS)),
        tuple(alarm["AlarmName"] for alarm in alarms),
    )


def _shares(routing: Document, instances: int) -> list[float]:
    if routing["Type"] == "CANARY":
        canary = _share(routing["CanarySize"], instances)
        return [canary, 1.0] if canary < 1 else [1.0]
    if routing["Type"] == "LINEAR":
        step = _share(routing["LinearStepSize"], instances)
        count = 1
        shares = []
        while step * count < 1:
            shares.append(step * count)
            count += 1
        return [*shares, 1.0]
    return [1.0]


def _share(size: Document, instances: int) -> float:
    whole = 100 if size["Type"] == "CAPACITY_PERCENT" else max(instances, 1)
    return min(float(size["Value"]) / whole, 1.0)
