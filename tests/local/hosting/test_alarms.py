"""Alarms: what state they come to, by what was counted."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.local.database import STATE, Database
from pipelines.local.hosting.alarms import Alarms, evaluate
from pipelines.local.hosting.documents import ALARM_KIND
from pipelines.local.hosting.metrics import Invocation, Metrics

NOW = 10_000.0
ERROR, FINE = Invocation("v", 500, 0.5, 0.0), Invocation("v", 200, 0.1, 0.0)


def alarm(**changes: Any) -> dict[str, Any]:
    body = {
        "AlarmName": "errors",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "v"}],
        "Statistic": "Sum",
        "Period": 10,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "StateValue": "INSUFFICIENT_DATA",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def counted(**moments: Invocation) -> Metrics:
    """Return metrics with requests at so many seconds before now, as in `at_5=ERROR`."""
    now = NOW

    def clock() -> float:
        return now

    metrics = Metrics(clock)
    for moment, invocation in sorted(moments.items(), key=lambda item: -int(item[0].removeprefix("at_"))):
        now = NOW - int(moment.removeprefix("at_"))
        metrics.record(invocation)
    return metrics


def state(body: dict[str, Any], metrics: Metrics) -> str:
    return str((body | evaluate(body, metrics, NOW))["StateValue"])


def test_an_alarm_rings_on_what_is_over_its_threshold_within_its_period() -> None:
    assert state(alarm(), counted(at_3=ERROR)) == "ALARM"
    assert state(alarm(), counted(at_3=FINE)) == "OK"
    assert state(alarm(), counted(at_3=FINE, at_30=ERROR)) == "OK"


def test_what_rings_says_why_and_when() -> None:
    changes = evaluate(alarm(), counted(at_3=ERROR), NOW)
    assert changes == {
        "StateValue": "ALARM",
        "StateReason": "The latest 1 datapoints [1] against GreaterThanOrEqualToThreshold 1.",
        "StateUpdatedTimestamp": NOW,
        "StateTransitionedTimestamp": NOW,
    }


def test_nothing_changes_where_the_state_is_the_same() -> None:
    assert evaluate(alarm(StateValue="ALARM"), counted(at_3=ERROR), NOW) == {}


@pytest.mark.parametrize(
    ("operator", "threshold", "rings"),
    [
        ("GreaterThanThreshold", 2, False),
        ("GreaterThanThreshold", 1, True),
        ("GreaterThanOrEqualToThreshold", 2, True),
        ("LessThanThreshold", 2, False),
        ("LessThanThreshold", 3, True),
        ("LessThanOrEqualToThreshold", 2, True),
    ],
)
def test_every_comparison_is_the_services(operator: str, threshold: float, rings: bool) -> None:
    body = alarm(ComparisonOperator=operator, Threshold=threshold)
    assert (state(body, counted(at_2=ERROR, at_3=ERROR)) == "ALARM") is rings


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("SampleCount", 3), ("Sum", 700_000), ("Average", 700_000 / 3), ("Minimum", 100_000), ("Maximum", 500_000)],
)
def test_every_statistic_is_the_services(statistic: str, value: float) -> None:
    metrics = counted(at_1=FINE, at_2=FINE, at_3=ERROR)
    body = alarm(MetricName="ModelLatency", Statistic=statistic, ComparisonOperator="GreaterThanOrEqualToThreshold")
    assert state(body | {"Threshold": value * 0.999}, metrics) == "ALARM"
    assert state(body | {"Threshold": value * 1.001}, metrics) == "OK"


def test_percentiles_are_statistics_too() -> None:
    metrics = counted(at_1=FINE, at_2=FINE, at_3=ERROR)
    body = alarm(MetricName="ModelLatency", Statistic=None, Threshold=400_000)
    assert state(body | {"ExtendedStatistic": "p50"}, metrics) == "OK"
    assert state(body | {"ExtendedStatistic": "p95"}, metrics) == "ALARM"


def test_so_many_of_the_periods_must_breach_as_the_alarm_says() -> None:
    metrics = counted(at_1=ERROR, at_11=FINE, at_21=ERROR)
    assert state(alarm(EvaluationPeriods=3), metrics) == "OK"
    assert state(alarm(EvaluationPeriods=3, DatapointsToAlarm=2), metrics) == "ALARM"


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [
        (None, "INSUFFICIENT_DATA"),
        ("missing", "INSUFFICIENT_DATA"),
        ("notBreaching", "OK"),
        ("breaching", "ALARM"),
        ("ignore", "OK"),
    ],
)
def test_without_any_data_the_alarm_says_what_to_think(treatment: str | None, expected: str) -> None:
    assert state(alarm(TreatMissingData=treatment, StateValue="OK"), counted()) == expected


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [("missing", "ALARM"), ("notBreaching", "OK"), ("breaching", "ALARM"), ("ignore", "INSUFFICIENT_DATA")],
)
def test_with_some_data_the_alarm_says_what_to_think_of_the_rest(treatment: str, expected: str) -> None:
    body = alarm(TreatMissingData=treatment, EvaluationPeriods=3)
    assert state(body, counted(at_1=ERROR)) == expected


def test_the_states_of_an_endpoints_alarms_are_written_down(tmp_path: Path) -> None:
    database = Database(tmp_path / STATE)
    others = [
        alarm(AlarmName="of-another", Dimensions=[{"Name": "EndpointName", "Value": "f"}]),
        alarm(AlarmName="of-the-machine", Namespace="AWS/EC2"),
        alarm(AlarmName="of-a-formula", Threshold=None),
        alarm(AlarmName="rings-elsewhere", Namespace="AWS/EC2", StateValue="ALARM"),
    ]
    for body in (alarm(), *others):
        database.insert(ALARM_KIND, body["AlarmName"], body)

    assert Alarms(database, "e", counted(at_3=ERROR)).ringing(NOW) == ["errors", "rings-elsewhere"]

    kept = {body["AlarmName"]: body for body in database.list(ALARM_KIND)}
    assert kept.pop("errors")["StateValue"] == "ALARM"
    assert list(kept.values()) == others
    assert Alarms(database, "e", counted(at_3=FINE)).ringing(NOW) == ["rings-elsewhere"]
    database.close()
