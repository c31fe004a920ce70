"""Deployments in a fake account, with nothing to wait for."""

import io
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from pipelines.delivery.attention import Attention
from pipelines.delivery.deployment.auc import roc_auc
from pipelines.delivery.deployment.deploy import deploy
from pipelines.delivery.deployment.journal import Journal
from pipelines.delivery.deployment.order import Canary, Capture, Order
from pipelines.delivery.deployment.result import Result
from pipelines.delivery.deployment.rollback import roll_back
from pipelines.delivery.deployment.teardown import tear_down
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.run import Site
from tests.delivery.deployment.fake_aws import GROUP, ROLE, ROWS_URI, FakeAws
from tests.delivery.deployment.fake_endpoints import Model

AMOUNTS = [number / 40 for number in range(40)]
LABELS = [int(number % 3 == 0 or number > 25) for number in range(40)]
ROWS = "fraud,amount,kind\n" + "".join(
    f"{label},{amount!r},{'' if label else 'theft'}\n" for label, amount in zip(LABELS, AMOUNTS, strict=True)
)
ROC_AUC = roc_auc(LABELS, AMOUNTS)
STAGING = Order("staging", GROUP, "fraud-staging", ROLE)
PRODUCTION = replace(
    Order("production", GROUP, "fraud-production", ROLE, instance_count=2),
    canary=Canary(50, 300, 120),
    capture=Capture(20),
)
BROKEN = Model(raises="division by zero")


@dataclass
class Scene:
    """A fake account with two approved versions, and what a person sees of deployments in it."""

    aws: FakeAws = field(default_factory=FakeAws)
    out: io.StringIO = field(default_factory=io.StringIO)
    interrupt: Event = field(default_factory=Event)
    minutes: float | None = None

    def __post_init__(self) -> None:
        self.aws.objects[ROWS_URI] = ROWS.encode()
        for version in (1, 2):
            self.add(version)

    def add(self, version: int, model: Model | None = None, **more: Any) -> str:
        """Register a version that behaves as the model says."""
        if model:
            self.aws.endpoints.models[version] = model
        return self.aws.add_package(version, **{"RocAuc": str(ROC_AUC), **more})

    def tools(self) -> Tools:
        """Return new tools, as each command has them."""
        site = Site(self.aws.session, 0.001, stops_on_interrupt=False)
        attention = Attention(self.interrupt, minutes=self.minutes, advise=lambda name: f"take {name} up again")
        return Tools(site, attention, Journal(self.out), pace=0.001, clock=self.aws.endpoints.clock)

    def deploy(self, order: Order, version: str | None = None) -> Result:
        """Deploy as a command of its own."""
        return deploy(self.tools(), order, version)

    def roll_back(self, order: Order) -> Result:
        """Roll back as a command of its own."""
        return roll_back(self.tools(), order)

    def tear_down(self, order: Order) -> Result:
        """Tear down as a command of its own."""
        return tear_down(self.tools(), order)

    def serving(self, order: Order) -> int | None:
        """Return the version that the account serves."""
        return self.serving_of(order.endpoint)

    def serving_of(self, name: str) -> int | None:
        """Return the version that an endpoint serves."""
        endpoint = self.aws.endpoints.there.get(name)
        return self.aws.version_of(endpoint.config) if endpoint else None

    def stage(self, version: int) -> tuple[str, str] | None:
        """Return what the registry says of a version's life."""
        life = self.aws.packages[version].get("ModelLifeCycle")
        return (life["Stage"], life["StageStatus"]) if life else None

    def forget(self) -> None:
        """Forget the requests so far."""
        self.aws.calls.clear()
