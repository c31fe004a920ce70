"""Deployment configs as steps in time."""

from typing import Any

import pytest

from pipelines.local.hosting.traffic import Plan, Stage, plan_of


def routing(kind: str, wait: int = 7, **size: Any) -> dict[str, Any]:
    policy = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": policy}}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def count(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


@pytest.mark.parametrize("config", [None, {}, {"AutoRollbackConfiguration": {}}])
def test_without_a_policy_all_traffic_moves_at_once(config: dict[str, Any] | None) -> None:
    assert plan_of(config, 1) == Plan((Stage(1.0, 0.0),))


def test_all_at_once_is_watched_for_the_wait_interval() -> None:
    assert plan_of(routing("ALL_AT_ONCE"), 1).stages == (Stage(1.0, 7.0),)


@pytest.mark.parametrize(("size", "share"), [(percent(10), 0.1), (count(1), 0.25), (count(2), 0.5), (percent(50), 0.5)])
def test_a_canary_gets_its_share_before_the_rest_moves(size: dict[str, Any], share: float) -> None:
    plan = plan_of(routing("CANARY", CanarySize=size), 4)
    assert plan.stages == (Stage(share, 7.0), Stage(1.0, 7.0))


@pytest.mark.parametrize("size", [percent(100), count(4), count(9)])
def test_a_canary_as_large_as_the_fleet_is_the_fleet(size: dict[str, Any]) -> None:
    assert plan_of(routing("CANARY", CanarySize=size), 4).stages == (Stage(1.0, 7.0),)


@pytest.mark.parametrize(
    ("size", "shares"),
    [
        (percent(50), [0.5, 1]),
        (percent(30), [0.3, 0.6, 0.9, 1]),
        (count(1), [0.25, 0.5, 0.75, 1]),
        (count(3), [0.75, 1]),
    ],
)
def test_linear_steps_add_up_to_all_traffic(size: dict[str, Any], shares: list[float]) -> None:
    plan = plan_of(routing("LINEAR", LinearStepSize=size), 4)
    assert [stage.share for stage in plan.stages] == pytest.approx(shares)


def test_waits_limits_and_alarms_are_the_configs() -> None:
    config = routing("ALL_AT_ONCE", wait=0)
    config["BlueGreenUpdatePolicy"] |= {"TerminationWaitInSeconds": 60, "MaximumExecutionTimeoutInSeconds": 600}
    config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": "errors"}, {"AlarmName": "latency"}]}
    assert plan_of(config, 1) == Plan((Stage(1.0, 0.0),), 60.0, 600.0, ("errors", "latency"))
