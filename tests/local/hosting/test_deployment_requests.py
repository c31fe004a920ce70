"""How the traffic is to be shifted: what of it the service, or this machine, would not take."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.database import STATE, Database
from pipelines.local.errors import ValidationError
from pipelines.local.hosting.deployment_requests import check_deployment
from tests.local.hosted import variant

PLACE = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A state with the alarm `errors`."""
    made = Database(tmp_path / STATE)
    made.insert("alarm", "errors", {"AlarmName": "errors"})
    yield made
    made.close()


def routed(kind: str, alarm: str = "errors", **sizes: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": 1, **sizes}
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
    }


def size(kind: str, value: int) -> dict[str, Any]:
    return {"Type": kind, "Value": value}


def config(instances: int) -> dict[str, Any]:
    return {"ProductionVariants": [variant(InitialInstanceCount=instances)]}


@pytest.mark.parametrize(
    ("deployment", "instances"),
    [
        ({}, 1),
        (routed("ALL_AT_ONCE"), 1),
        (routed("CANARY", CanarySize=size("CAPACITY_PERCENT", 1)), 1),
        (routed("CANARY", CanarySize=size("CAPACITY_PERCENT", 50)), 2),
        (routed("CANARY", CanarySize=size("INSTANCE_COUNT", 1)), 2),
        (routed("LINEAR", LinearStepSize=size("CAPACITY_PERCENT", 10)), 1),
        (routed("LINEAR", LinearStepSize=size("INSTANCE_COUNT", 1)), 10),
    ],
)
def test_what_the_service_takes_is_taken(database: Database, deployment: dict[str, Any], instances: int) -> None:
    check_deployment(database, deployment, config(instances))


@pytest.mark.parametrize(
    ("deployment", "instances", "reason"),
    [
        (routed("CANARY"), 2, f"{PLACE}.CanarySize is missing; a Type of CANARY needs it."),
        (routed("LINEAR"), 2, f"{PLACE}.LinearStepSize is missing; a Type of LINEAR needs it."),
        (
            routed("ALL_AT_ONCE", CanarySize=size("INSTANCE_COUNT", 1)),
            2,
            f"{PLACE}.CanarySize does not go with a Type of ALL_AT_ONCE.",
        ),
        (
            routed("CANARY", CanarySize=size("CAPACITY_PERCENT", 51)),
            2,
            f"{PLACE}.CanarySize is 51% of the 2 instance(s) of variant 'primary'; between 0% and 50% is allowed.",
        ),
        (
            routed("CANARY", CanarySize=size("INSTANCE_COUNT", 1)),
            1,
            f"{PLACE}.CanarySize is 100% of the 1 instance(s) of variant 'primary'; between 0% and 50% is allowed.",
        ),
        (
            routed("LINEAR", LinearStepSize=size("CAPACITY_PERCENT", 9)),
            2,
            f"{PLACE}.LinearStepSize is 9% of the 2 instance(s) of variant 'primary'; between 10% and 50% is allowed.",
        ),
        (
            routed("ALL_AT_ONCE", alarm="ghost"),
            1,
            "DeploymentConfig.AutoRollbackConfiguration: alarm 'ghost' does not exist; create it with PutMetricAlarm "
            "first.",
        ),
    ],
)
def test_what_it_does_not_take_is_refused(
    database: Database, deployment: dict[str, Any], instances: int, reason: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        check_deployment(database, deployment, config(instances))
    assert str(caught.value) == reason


def test_rolling_updates_are_refused(database: Database) -> None:
    policy = {"MaximumBatchSize": size("INSTANCE_COUNT", 1), "WaitIntervalInSeconds": 1}
    with pytest.raises(ValidationError, match=r"RollingUpdatePolicy is .* use BlueGreenUpdatePolicy"):
        check_deployment(database, {"RollingUpdatePolicy": policy}, config(2))
