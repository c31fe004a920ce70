"""Alarms on endpoints: put, described and deleted as in CloudWatch, refused where nothing here could ring them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pipelines.local.boto_session import LocalSession
from pipelines.local.session import session as local_session

ERRORS = {
    "AlarmName": "claims-errors",
    "AlarmDescription": "requests that the model does not answer",
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocation5XXErrors",
    "Dimensions": [{"Name": "EndpointName", "Value": "claims"}, {"Name": "VariantName", "Value": "primary"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}
LATENCY = {
    **{name: value for name, value in ERRORS.items() if name != "Statistic"},
    "AlarmName": "claims-latency",
    "MetricName": "ModelLatency",
    "ExtendedStatistic": "p95",
    "Threshold": 1e6,
}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[LocalSession]:
    with local_session(tmp_path / "root", region="us-east-1") as made:
        yield made


@pytest.fixture
def cloudwatch(session: LocalSession) -> Any:
    return session.client("cloudwatch")


@pytest.fixture(params=["this machine", "moto"])
def any_cloudwatch(request: pytest.FixtureRequest) -> Iterator[Any]:
    """CloudWatch of this machine, and moto's."""
    if request.param == "this machine":
        yield request.getfixturevalue("cloudwatch")
        return
    with mock_aws():
        yield boto3.client("cloudwatch", "us-east-1", aws_access_key_id="moto", aws_secret_access_key="moto")


def names(client: Any, **filters: Any) -> list[str]:
    pages = client.get_paginator("describe_alarms").paginate(**filters)
    return [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]


def test_an_alarm_is_described_as_it_was_put(any_cloudwatch: Any) -> None:
    any_cloudwatch.put_metric_alarm(**ERRORS)
    alarm = any_cloudwatch.describe_alarms(AlarmNames=["claims-errors"])["MetricAlarms"][0]
    assert {name: alarm[name] for name in ERRORS} == ERRORS
    assert alarm["AlarmArn"].startswith("arn:aws:cloudwatch:us-east-1:")
    assert alarm["AlarmArn"].endswith(":alarm:claims-errors")
    assert alarm["ActionsEnabled"] is True
    assert alarm["AlarmConfigurationUpdatedTimestamp"].tzinfo


def test_alarms_are_filtered_and_deleted(any_cloudwatch: Any) -> None:
    any_cloudwatch.put_metric_alarm(**LATENCY)
    any_cloudwatch.put_metric_alarm(**ERRORS)
    any_cloudwatch.put_metric_alarm(**ERRORS | {"AlarmName": "other"})
    assert sorted(names(any_cloudwatch, AlarmNamePrefix="claims-")) == ["claims-errors", "claims-latency"]
    assert names(any_cloudwatch, AlarmNames=["other", "ghost"]) == ["other"]
    assert names(any_cloudwatch, StateValue="ALARM") == []
    any_cloudwatch.delete_alarms(AlarmNames=["claims-errors", "claims-latency", "ghost"])
    any_cloudwatch.delete_alarms(AlarmNames=["claims-errors"])
    assert names(any_cloudwatch) == ["other"]


def test_alarms_are_listed_by_name_in_pages(cloudwatch: Any) -> None:
    for name in "cab":
        cloudwatch.put_metric_alarm(**ERRORS | {"AlarmName": name})
    assert names(cloudwatch, MaxRecords=2) == ["a", "b", "c"]
    first = cloudwatch.describe_alarms(MaxRecords=2)
    assert [alarm["AlarmName"] for alarm in first["MetricAlarms"]] == ["a", "b"]
    with pytest.raises(ClientError) as caught:
        cloudwatch.describe_alarms(NextToken="not one of these")
    assert caught.value.response["Error"]["Code"] == "InvalidNextToken"
    assert names(cloudwatch, AlarmTypes=["CompositeAlarm"]) == []


def test_an_alarm_that_is_put_again_keeps_its_state_and_nothing_else(session: LocalSession, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**ERRORS)
    first = cloudwatch.describe_alarms()["MetricAlarms"][0]
    assert (first["StateValue"], first["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    session.sagemaker.machine.database.update("alarm", "claims-errors", StateValue="ALARM", StateReason="5 of 5")
    without = {name: value for name, value in ERRORS.items() if name not in ("TreatMissingData", "AlarmDescription")}
    cloudwatch.put_metric_alarm(**without | {"Threshold": 5.0})
    again = cloudwatch.describe_alarms()["MetricAlarms"][0]
    assert (again["StateValue"], again["StateReason"], again["Threshold"]) == ("ALARM", "5 of 5", 5.0)
    assert not {"TreatMissingData", "AlarmDescription"} & set(again)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Namespace": "AWS/Lambda"}, "This machine has no metric AWS/Lambda Invocation5XXErrors"),
        (
            {"MetricName": "CPUUtilization"},
            "This machine has no metric AWS/SageMaker CPUUtilization; it has Invocations",
        ),
        ({"Dimensions": ERRORS["Dimensions"][:1]}, "Dimensions must be EndpointName and VariantName"),  # type: ignore[index]
        ({"Period": 45}, "Period is 45; it must be 10, 20, 30 or a multiple of 60."),
        ({"ExtendedStatistic": "p95"}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"Statistic": None}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"Statistic": None, "ExtendedStatistic": "tm99"}, "ExtendedStatistic is 'tm99'; this machine has percentiles"),
        ({"Statistic": "Median"}, "Value 'Median' at Statistic failed to satisfy enum value set"),
        ({"Threshold": None}, "Threshold is missing"),
        ({"EvaluationPeriods": None}, "EvaluationPeriods is missing"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm is more than EvaluationPeriods"),
        ({"TreatMissingData": "guess"}, "it must be one of breaching, notBreaching, ignore, missing"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "is for anomaly detection"),
        ({"ThresholdMetricId": "band"}, "ThresholdMetricId is given, which this machine does not do"),
        ({"AlarmName": "a" * 256}, "AlarmName has length 256, at most 255 is allowed"),
    ],
)
def test_an_alarm_that_could_not_ring_is_refused(cloudwatch: Any, changes: dict[str, Any], reason: str) -> None:
    request = {name: value for name, value in (ERRORS | changes).items() if value is not None}
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_metric_alarm(**request)
    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["RetryAttempts"]) == ("ValidationError", 0)
    assert reason in response["Error"]["Message"]
    assert "\n" not in response["Error"]["Message"]
    assert names(cloudwatch) == []


@pytest.mark.parametrize(
    "filters", [{"ActionPrefix": "arn"}, {"ChildrenOfAlarmName": "a"}, {"ParentsOfAlarmName": "a"}]
)
def test_filters_that_are_not_there_are_refused(cloudwatch: Any, filters: dict[str, str]) -> None:
    with pytest.raises(ClientError, match=f"{next(iter(filters))} is given, which this machine does not do yet"):
        cloudwatch.describe_alarms(**filters)
