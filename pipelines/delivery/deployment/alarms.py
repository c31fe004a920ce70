"""The alarms that turn a release back: errors of the endpoint, and its latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.tools import Tools

# CloudWatch takes no shorter one for the metrics of AWS's own services.
_PERIOD = 60
# A few periods, for metrics are late by one or two.
_SILENCE_SECONDS = 240
# Of DescribeAlarms what PutMetricAlarm takes, as far as an alarm of a deployment has it.
_MEMBERS = (
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
)


def alarm_names(endpoint: str) -> tuple[str, str]:
    """Return the names of an endpoint's alarms."""
    return f"{endpoint}-errors", f"{endpoint}-latency"


def ensure_alarms(tools: Tools, order: Order, variant: str) -> None:
    """Put the alarms that are missing or different."""
    there = {alarm["AlarmName"]: alarm for alarm in find_alarms(tools, order.endpoint)}
    for alarm in _alarms(order, variant):
        name = alarm["AlarmName"]
        if name not in there or any(_plain(there[name].get(member)) != _plain(alarm[member]) for member in alarm):
            tools.cloudwatch.put_metric_alarm(**alarm)
            tools.journal.change(f"put alarm {name}")


def restore_alarms(tools: Tools, endpoint: str, before: Sequence[Mapping[str, Any]]) -> None:
    """Put the alarms as they were, for what serves again was not released with others."""
    now = {alarm["AlarmName"]: alarm for alarm in find_alarms(tools, endpoint)}
    for alarm in before:
        name = alarm["AlarmName"]
        request = {member: alarm[member] for member in _MEMBERS if member in alarm}
        if any(_plain(now.get(name, {}).get(member)) != _plain(request[member]) for member in request):
            tools.cloudwatch.put_metric_alarm(**request)
            tools.journal.change(f"put alarm {name} as it was before")


def await_silence(tools: Tools, endpoint: str) -> None:
    """Wait for alarms that ring still, as they do for a while after a version has failed: they would end a release.

    Where what serves now makes them ring all the time, the release is tried all the same.
    """
    began = tools.clock()
    for pause in tools.pauses():
        ringing = ", ".join(a["AlarmName"] for a in find_alarms(tools, endpoint) if a.get("StateValue") == "ALARM")
        if not ringing:
            return
        if tools.clock() - began > _SILENCE_SECONDS:
            tools.journal.say(f"{ringing}: still in ALARM, which may turn the release back")
            return
        tools.journal.status(f"waiting while {ringing} is in ALARM, which would turn the release back")
        tools.attention.pause(pause, endpoint)


def find_alarms(tools: Tools, endpoint: str) -> list[dict[str, Any]]:
    """Return the endpoint's alarms that are there, those of the same name for another endpoint apart."""
    found = tools.cloudwatch.describe_alarms(AlarmNames=list(alarm_names(endpoint)), AlarmTypes=["MetricAlarm"])
    dimension = {"Name": "EndpointName", "Value": endpoint}
    return [alarm for alarm in found["MetricAlarms"] if dimension in alarm.get("Dimensions", ())]


def _plain(value: object) -> object:
    """Return a value to compare; dimensions have no order."""
    return sorted(map(str, value)) if isinstance(value, list) else value


def _alarms(order: Order, variant: str) -> list[dict[str, Any]]:
    errors, latency = alarm_names(order.endpoint)
    common = {
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": order.endpoint}, {"Name": "VariantName", "Value": variant}],
        "Period": _PERIOD,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        # An endpoint that nobody calls is well.
        "TreatMissingData": "notBreaching",
    }
    return [
        {
            "AlarmName": errors,
            "AlarmDescription": f"deploy-model: endpoint {order.endpoint} answers with errors of its own",
            "MetricName": "Invocation5XXErrors",
            "Statistic": "Sum",
            "Threshold": 0.0,
            **common,
        },
        {
            "AlarmName": latency,
            "AlarmDescription": f"deploy-model: endpoint {order.endpoint} answers too slowly",
            "MetricName": "ModelLatency",
            "ExtendedStatistic": "p95",
            # The metric is in microseconds.
            "Threshold": order.limits.latency * 1000,
            **common,
        },
    ]
