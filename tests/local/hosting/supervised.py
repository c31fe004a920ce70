"""An endpoint's document and the supervisor at work on it, as a test steps them on."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from pipelines.local.database import STATE, Database
from pipelines.local.hosting.alarms import Alarms
from pipelines.local.hosting.documents import CONFIG_KIND, KIND, Record
from pipelines.local.hosting.gateway import Gateway
from pipelines.local.hosting.metrics import Metrics
from pipelines.local.hosting.rollout import Scene
from pipelines.local.hosting.supervisor import Supervisor
from pipelines.local.ownership import Ownership
from tests.local.containers.processes import wait_for
from tests.local.hosting.backend import Backends, config
from tests.local.hosting.clients import Client

CANARY = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
            "WaitIntervalInSeconds": 60,
        },
        "TerminationWaitInSeconds": 60,
    },
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
}
ALARM = {
    "AlarmName": "errors",
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocation5XXErrors",
    "Dimensions": [{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "v"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "StateValue": "OK",
}


class Clock:
    """This machine's clock, and how far a test has moved it ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Endpoint:
    """An endpoint's document, a supervisor at work on it, and a clock that both go by."""

    def __init__(self, root: Path, gateway: Gateway, metrics: Metrics, backends: Backends, clock: Clock) -> None:
        self.database = Database(root / STATE)
        self.ownership = Ownership(root / "owners")
        self.gateway = gateway
        self.backends = backends
        self.metrics = metrics
        self.clock = clock
        self.supervisor = self._supervisor()
        for name in ("old", "new"):
            self.database.insert(CONFIG_KIND, name, self.config(name))

    def config(self, model: str) -> dict[str, Any]:
        body = config(model, model)
        body["ProductionVariants"][0]["VariantName"] = "v"
        return body

    def _supervisor(self) -> Supervisor:
        record = Record(self.database, "e", self.ownership)
        alarms = Alarms(self.database, "e", self.metrics)
        scene = Scene(record, self.gateway, self.metrics, alarms)
        return Supervisor(scene, self.backends.serve, self.clock)

    def restart(self) -> None:
        """Go on with a new supervisor, as a new process does."""
        self.supervisor.stop()
        self.supervisor = self._supervisor()

    def write(self, status: str, serving: str = "old", **more: Any) -> None:
        body = {"EndpointName": "e", "EndpointStatus": status, "EndpointConfigName": serving}
        self.database.put(KIND, "e", body | {"Owner": self.ownership.owner} | more)

    def want(self, config_name: str, deployment: dict[str, Any] | None = None) -> None:
        wanted = {"EndpointConfigName": config_name, "DeploymentConfig": deployment}
        self.database.update(KIND, "e", EndpointStatus="Updating", Wanted=wanted)

    def read(self) -> dict[str, Any]:
        return self.database.get(KIND, "e") or {}

    def step_until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Step until a condition on the document holds, and return the document."""

        def holds() -> bool:
            self.is_at_work = self.supervisor.step()
            return condition(self.read())

        wait_for(holds)
        return self.read()

    def step_to(self, status: str) -> dict[str, Any]:
        return self.step_until(lambda document: document["EndpointStatus"] == status)

    def step_to_pending(self, status: str, weight: float) -> dict[str, Any]:
        """Step until the green variant has a status and a weight."""

        def has_come(document: dict[str, Any]) -> bool:
            variants = document.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
            return [(it["VariantStatus"][0]["Status"], it["CurrentWeight"]) for it in variants] == [(status, weight)]

        return self.step_until(has_come)

    def ask(self, times: int = 1) -> list[tuple[int, str]]:
        with closing(Client(self.gateway.port)) as client:
            return [(response.status, response.text) for response in (client.ask() for _ in range(times))]
