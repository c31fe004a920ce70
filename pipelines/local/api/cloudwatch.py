"""CloudWatch, as far as it watches endpoints: alarms on their metrics."""

import time
from collections.abc import Iterator

from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from pipelines.local.api.listing import pick
from pipelines.local.api.wire import Request, Response, answer_json, unanswered
from pipelines.local.database import Document
from pipelines.local.errors import ServiceError
from pipelines.local.hosting.alarms import COMPARISONS, INSUFFICIENT, NAMESPACE, PERCENTILE, dimensions_of
from pipelines.local.hosting.documents import ALARM_KIND
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.requests import constraint_errors

SERVICE = "cloudwatch"
TARGET = "x-amz-target"
METRICS = (
    "Invocations",
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "InvocationModelErrors",
    "ModelLatency",
    "OverheadLatency",
)
DIMENSIONS = {"EndpointName", "VariantName"}
SHORT_PERIODS = (10, 20, 30)
MINUTE = 60
TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
NEEDED = ("MetricName", "Namespace", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator")
REFUSED = (
    "Metrics",
    "ThresholdMetricId",
    "EvaluateLowSampleCountPercentile",
    "EvaluationWindow",
    "EvaluationCriteria",
    "EvaluationInterval",
    "WarmUpConfiguration",
)
NO_FILTERS = ("ChildrenOfAlarmName", "ParentsOfAlarmName", "ActionPrefix")
STATE = ("StateValue", "StateReason", "StateUpdatedTimestamp", "StateTransitionedTimestamp")
DEFAULT_RECORDS = 50


class CloudWatch:
    """The alarms of this machine; the processes of the endpoints that they watch evaluate them."""

    def __init__(self, machine: Machine, model: ServiceModel) -> None:
        self._machine = machine
        self._database = machine.database
        self._model = model

    def answer(self, request: Request) -> Response:
        """Answer a request of the JSON protocol; others are refused."""
        if TARGET not in request.headers:
            raise unanswered(SERVICE, "requests in another protocol than JSON, which newer clients speak")
        operations = {
            "PutMetricAlarm": self.put_alarm,
            "DescribeAlarms": self.describe_alarms,
            "DeleteAlarms": self.delete_alarms,
        }
        return answer_json(request, service=SERVICE, operations=operations)

    def put_alarm(self, request: Document) -> Document:
        """PutMetricAlarm: an alarm that is there keeps its state, and nothing else of what it was."""
        self._check("PutMetricAlarm", request)
        mistake = next(_mistakes(request), None)
        if mistake:
            raise ServiceError("ValidationError", mistake)
        name, now = request["AlarmName"], time.time()
        fresh = {
            "StateValue": INSUFFICIENT,
            "StateReason": "Unchecked: Initial alarm creation",
            "StateUpdatedTimestamp": now,
            "StateTransitionedTimestamp": now,
        }
        settings = {member: value for member, value in request.items() if member != "Tags"}
        with self._database.transaction():
            known = self._database.get(ALARM_KIND, name)
            alarm = {
                "ActionsEnabled": True,
                **settings,
                **(pick(known, *STATE) if known else fresh),
                "AlarmArn": f"arn:aws:cloudwatch:{self._machine.region}:{self._machine.account}:alarm:{name}",
                "AlarmConfigurationUpdatedTimestamp": now,
            }
            self._database.put(ALARM_KIND, name, alarm)
        return {}

    def describe_alarms(self, request: Document) -> Document:
        """DescribeAlarms: by name."""
        self._check("DescribeAlarms", request)
        for member in NO_FILTERS:
            if member in request:
                raise ServiceError("ValidationError", f"{member} is given, which this machine does not do yet.")
        found = [alarm for alarm in self._database.list(ALARM_KIND) if _matches(alarm, request)]
        found.sort(key=lambda alarm: str(alarm["AlarmName"]))
        token = request.get("NextToken", "0")
        if not (token.isascii() and token.isdecimal()):
            raise ServiceError("InvalidNextToken", f"NextToken {token!r} is none that this machine gave")
        start, end = int(token), int(token) + request.get("MaxRecords", DEFAULT_RECORDS)
        more = {"NextToken": str(end)} if end < len(found) else {}
        return {"MetricAlarms": found[start:end], "CompositeAlarms": [], **more}

    def delete_alarms(self, request: Document) -> Document:
        """DeleteAlarms: those that are there; that others are not is no error."""
        self._check("DeleteAlarms", request)
        with self._database.transaction():
            for name in request["AlarmNames"]:
                self._database.delete(ALARM_KIND, name)
        return {}

    def _check(self, operation: str, request: Document) -> None:
        shape = self._model.operation_model(operation).input_shape
        if shape is None:
            raise TypeError(f"{operation} takes no input")
        report = ParamValidator().validate(request, shape)
        mistakes = report.generate_report().splitlines() or list(constraint_errors(request, shape))
        if mistakes:
            raise ServiceError("ValidationError", f"{operation}: {'; '.join(mistakes)}")


def _mistakes(request: Document) -> Iterator[str]:
    """Yield what is wrong with an alarm, or not for this machine."""
    for member in REFUSED:
        if member in request:
            yield f"{member} is given, which this machine does not do; give MetricName and a static Threshold."
    for member in NEEDED:
        if member not in request:
            yield f"{member} is missing; an alarm on a metric needs it."
    if ("Statistic" in request) == ("ExtendedStatistic" in request):
        yield "Exactly one of Statistic and ExtendedStatistic must be given."
    if not PERCENTILE.fullmatch(request.get("ExtendedStatistic", "p50")):
        yield f"ExtendedStatistic is '{request['ExtendedStatistic']}'; this machine has percentiles, such as p95."
    if request["Period"] not in SHORT_PERIODS and request["Period"] % MINUTE:
        yield f"Period is {request['Period']}; it must be 10, 20, 30 or a multiple of 60."
    if request.get("DatapointsToAlarm", 1) > request["EvaluationPeriods"]:
        yield "DatapointsToAlarm is more than EvaluationPeriods."
    if request.get("TreatMissingData", "missing") not in TREATMENTS:
        yield f"TreatMissingData is '{request['TreatMissingData']}'; it must be one of {', '.join(TREATMENTS)}."
    yield from _mistakes_of_metric(request)


def _mistakes_of_metric(request: Document) -> Iterator[str]:
    if request["ComparisonOperator"] not in COMPARISONS:
        yield f"ComparisonOperator {request['ComparisonOperator']} is for anomaly detection, which is not done here."
    if request["Namespace"] != NAMESPACE or request["MetricName"] not in METRICS:
        metric = f"{request['Namespace']} {request['MetricName']}"
        yield f"This machine has no metric {metric}; it has {', '.join(METRICS)} of {NAMESPACE}."
    if set(dimensions_of(request)) != DIMENSIONS:
        yield "Dimensions must be EndpointName and VariantName: these have the metrics of this machine."


def _matches(alarm: Document, request: Document) -> bool:
    """Tell whether an alarm is among those that DescribeAlarms is asked for."""
    name, names = str(alarm["AlarmName"]), request.get("AlarmNames")
    return (
        (not names or name in names)
        and name.startswith(request.get("AlarmNamePrefix", ""))
        and request.get("StateValue") in (None, alarm["StateValue"])
        and "MetricAlarm" in (request.get("AlarmTypes") or ["MetricAlarm"])
    )
