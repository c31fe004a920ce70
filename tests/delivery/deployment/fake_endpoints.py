"""Endpoints that go through DescribeEndpoint's states, one state for each look, and answer by their package's model."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.delivery.deployment.service import Document, Refusal, missing

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ALARM = "The following CloudWatch alarm is in ALARM state: fraud-production-errors."
NO_PING = "The primary container for production variant AllTraffic did not pass the ping health check."
COURSE = ("Creating", "Baking", "ActivatingTraffic", "Baking")


@dataclass
class Model:
    """How a version behaves: whether it starts, trips alarms, raises or refuses, how long it takes, what it answers."""

    starts: bool = True
    trips: bool = False
    raises: str | None = None
    refuses: str | None = None
    milliseconds: float = 5.0
    score: Callable[[float], float] = lambda amount: amount
    rounds_json: bool = False
    forgets: int = 0


@dataclass
class Endpoint:
    """One endpoint, and the states that the next looks at it will see."""

    config: str
    modified: datetime
    states: list[Document] = field(default_factory=list)
    now: Document = field(default_factory=dict)


class FakeEndpoints:
    """The endpoints of an account; time goes by as requests are answered."""

    def __init__(self, configs: Mapping[str, Document], version_of: Callable[[str], int], arn: str) -> None:
        self.there: dict[str, Endpoint] = {}
        self.models: dict[int, Model] = {}
        self.seconds = 0.0
        self.moment = MOMENT
        self._configs = configs
        self._version_of = version_of
        self._arn = arn

    def clock(self) -> float:
        """The time by which latencies are measured."""
        return self.seconds

    def model_of(self, config: str) -> Model:
        """How the version behind a config behaves."""
        return self.models.get(self._version_of(config), Model())

    def create(self, request: Document) -> Document:
        """Begin with an endpoint."""
        name, config = request["EndpointName"], request["EndpointConfigName"]
        if name in self.there:
            raise Refusal("ValidationException", f'Cannot create already existing endpoint "{name}".')
        self._check(config)
        starts = self.model_of(config).starts
        end = {"EndpointStatus": "InService"} if starts else {"EndpointStatus": "Failed", "FailureReason": NO_PING}
        self.there[name] = Endpoint(
            config, self.moment, [{"EndpointStatus": "Creating"}, {"EndpointStatus": "Creating"}, end]
        )
        return {"EndpointArn": self._arn_of(name)}

    def UpdateEndpoint(self, request: Document) -> Document:  # noqa: N802 - the operation's name
        endpoint, config = self._find(request["EndpointName"]), request["EndpointConfigName"]
        if endpoint.now.get("EndpointStatus") != "InService" or endpoint.states:
            raise Refusal("ValidationException", 'Cannot update in-progress endpoint "x".')
        self._check(config)
        endpoint.states = list(self._course(endpoint.config, config))
        return {"EndpointArn": self._arn_of(request["EndpointName"])}

    def DeleteEndpoint(self, request: Document) -> Document:  # noqa: N802
        endpoint = self._find(request["EndpointName"])
        if endpoint.states:
            raise Refusal("ValidationException", 'Cannot update in-progress endpoint "x".')
        endpoint.states = [{"EndpointStatus": "Deleting"}, {"EndpointStatus": "gone"}]
        return {}

    def DescribeEndpoint(self, request: Document) -> Document:  # noqa: N802
        name = request["EndpointName"]
        endpoint = self._find(name)
        if endpoint.states:
            endpoint.now = endpoint.states.pop(0)
            endpoint.modified = self.moment = self.moment + timedelta(milliseconds=1)
            endpoint.config = endpoint.now.pop("config", endpoint.config)
        if endpoint.now["EndpointStatus"] == "gone":
            del self.there[name]
            raise missing("endpoint", name)
        return {
            "EndpointName": name,
            "EndpointArn": self._arn_of(name),
            "EndpointConfigName": endpoint.config,
            "CreationTime": MOMENT,
            "LastModifiedTime": endpoint.modified,
            **endpoint.now,
        }

    def InvokeEndpoint(self, request: Document) -> Document:  # noqa: N802
        endpoint = self._find(request["EndpointName"])
        model = self.model_of(endpoint.config)
        self.seconds += model.milliseconds / 1000
        if model.raises:
            text = f'Received server error (500) from primary with message "{model.raises}".'
            raise Refusal("ModelError", text, status=424, OriginalStatusCode=500, OriginalMessage=model.raises)
        if model.refuses:
            text = f'Received client error (400) from primary with message "{model.refuses}".'
            raise Refusal("ModelError", text, status=424, OriginalStatusCode=400, OriginalMessage=model.refuses)
        scores = [model.score(amount) for amount in _amounts(request)][model.forgets :]
        return {"Body": io.BytesIO(_answer(scores, request["Accept"], model))}

    def _course(self, before: str, config: str) -> Iterator[Document]:
        model = self.model_of(config)
        for phase in COURSE if model.starts and not model.trips else COURSE[: 1 + model.starts]:
            yield {"EndpointStatus": "Updating", "PendingDeploymentSummary": _pending(config, phase)}
        if model.starts and not model.trips:
            yield {"EndpointStatus": "InService", "config": config}
            return
        reason = {"FailureReason": ALARM if model.starts else NO_PING}
        yield {"EndpointStatus": "RollingBack", "PendingDeploymentSummary": _pending(config, "Deleting"), **reason}
        yield {"EndpointStatus": "InService", "config": before, **reason}

    def _check(self, config: str) -> None:
        if config not in self._configs:
            raise missing("endpoint configuration", config)

    def _find(self, name: str) -> Endpoint:
        if name not in self.there:
            raise missing("endpoint", self._arn_of(name))
        return self.there[name]

    def _arn_of(self, name: str) -> str:
        return f"{self._arn}:endpoint/{name}"


def _pending(config: str, phase: str) -> Document:
    status = {"Status": phase, "StartTime": MOMENT}
    return {
        "EndpointConfigName": config,
        "ProductionVariants": [{"VariantName": "AllTraffic", "VariantStatus": [status]}],
        "StartTime": MOMENT,
    }


def _amounts(request: Document) -> list[float]:
    if request["ContentType"] == "text/csv":
        return [float(row["amount"]) for row in csv.DictReader(io.StringIO(request["Body"].decode()))]
    rows: list[dict[str, Any]] = json.loads(request["Body"])["instances"]
    assert all(isinstance(row["amount"], int | float) and isinstance(row["kind"], str | None) for row in rows)
    return [float(row["amount"]) for row in rows]


def _answer(scores: list[float], accept: str, model: Model) -> bytes:
    if accept == "text/csv":
        return "".join(f"{score!r}\n" for score in scores).encode()
    told = [round(score, 2) if model.rounds_json else score for score in scores]
    return json.dumps({"predictions": [{"score": score} for score in told]}).encode()
