"""CloudWatch alarms on an endpoint's metrics: evaluated on what the endpoint counted, as the service does."""

import logging
import operator
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from pipelines.local.database import Database, Document
from pipelines.local.hosting.documents import ALARM_KIND
from pipelines.local.hosting.metrics import MICROSECONDS, Distribution, Metrics

logger = logging.getLogger(__name__)

NAMESPACE = "AWS/SageMaker"
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
STATISTICS: dict[str, Callable[[Distribution], float]] = {
    "SampleCount": lambda values: values.count,
    "Sum": lambda values: values.total,
    "Average": lambda values: values.total / values.count,
    "Minimum": lambda values: values.least,
    "Maximum": lambda values: values.greatest,
}
# What grows with the number of requests.
COUNTS = ("SampleCount", "Sum")
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"


class Alarms:
    """This machine's alarms, as one endpoint's process sees them: it evaluates those on its own metrics."""

    def __init__(self, database: Database, endpoint: str, metrics: Metrics) -> None:
        self._database = database
        self._endpoint = endpoint
        self._metrics = metrics

    def ringing(self, now: float) -> list[str]:
        """Evaluate the alarms on this endpoint, and return the names of all that are in ALARM state."""
        names = []
        for alarm in self._database.list(ALARM_KIND):
            changes = evaluate(alarm, self._metrics, now) if is_on(alarm, self._endpoint) else {}
            if changes:
                logger.info("alarm %s: %s: %s", alarm["AlarmName"], changes["StateValue"], changes["StateReason"])
                # It may have been deleted meanwhile.
                with suppress(KeyError):
                    self._database.update(ALARM_KIND, alarm["AlarmName"], **changes)
            if (alarm | changes).get("StateValue") == ALARM:
                names.append(alarm["AlarmName"])
        return names

    def patience(self, names: Iterable[str]) -> float | None:
        """Return the least latency, in seconds, that one of these alarms does not allow; None where none is on it."""
        alarms = [self._database.get(ALARM_KIND, name) for name in names]
        limits = [alarm["Threshold"] for alarm in alarms if alarm and is_on(alarm, self._endpoint) and _limits(alarm)]
        return min(limits) / MICROSECONDS if limits else None


def _limits(alarm: Document) -> bool:
    """Tell whether the threshold of an alarm is a latency that is too much for one answer."""
    is_above = alarm["ComparisonOperator"].startswith("GreaterThan")
    return alarm["MetricName"] == "ModelLatency" and is_above and alarm.get("Statistic") not in COUNTS


def is_on(alarm: Document, endpoint: str) -> bool:
    """Tell whether an alarm is on one metric of an endpoint, with a threshold."""
    return (
        alarm.get("Namespace") == NAMESPACE
        and dimensions_of(alarm).get("EndpointName") == endpoint
        and alarm.get("ComparisonOperator") in COMPARISONS
        and "Threshold" in alarm
        and (alarm.get("Statistic") in STATISTICS or bool(PERCENTILE.fullmatch(alarm.get("ExtendedStatistic", ""))))
    )


def dimensions_of(alarm: Document) -> dict[str, Any]:
    """Return the dimensions of an alarm's metric by their names."""
    return {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}


def evaluate(alarm: Document, metrics: Metrics, now: float) -> Document:
    """Return the members of an alarm that change: its state and the reason; none when it stays as it is."""
    periods, threshold = alarm["EvaluationPeriods"], alarm["Threshold"]
    values = [_datapoint(alarm, metrics, now - number * alarm["Period"]) for number in range(periods)]
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    state = _state(alarm, [None if value is None else breaches(value, threshold) for value in values])
    if state == alarm.get("StateValue"):
        return {}
    said = ", ".join("none" if value is None else f"{value:g}" for value in values)
    reason = f"The latest {periods} datapoints [{said}] against {alarm['ComparisonOperator']} {threshold:g}."
    times = dict.fromkeys(("StateUpdatedTimestamp", "StateTransitionedTimestamp"), now)
    return {"StateValue": state, "StateReason": reason, **times}


def _datapoint(alarm: Document, metrics: Metrics, end: float) -> float | None:
    variant = dimensions_of(alarm).get("VariantName", "")
    values = metrics.window(variant, alarm["MetricName"], end - alarm["Period"], end)
    if not values.count:
        return None
    percentile = PERCENTILE.fullmatch(alarm.get("ExtendedStatistic", ""))
    return values.percentile(float(percentile[1])) if percentile else STATISTICS[alarm["Statistic"]](values)


def _state(alarm: Document, breaching: list[bool | None]) -> str:
    """Return the state by which of the datapoints breach; None is a missing one."""
    present = [breaches for breaches in breaching if breaches is not None]
    missing = len(breaching) - len(present)
    treatment = alarm.get("TreatMissingData", "missing")
    needed = alarm.get("DatapointsToAlarm", len(breaching))
    count = sum(present) + (missing if treatment == "breaching" else 0)
    if count >= needed:
        return ALARM
    if treatment == "ignore" and missing:
        return str(alarm.get("StateValue", INSUFFICIENT))
    if treatment == "missing" and missing:
        if not present:
            return INSUFFICIENT
        # What is there decides alone, so that an alarm does not wait for data that will not come.
        return ALARM if count >= min(needed, len(present)) else OK
    return OK
