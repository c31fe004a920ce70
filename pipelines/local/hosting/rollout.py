"""One deployment that is carried out: what it decides, brought to the fleets, the gateway and the document."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.local.database import Document
from pipelines.local.hosting import summaries
from pipelines.local.hosting.alarms import Alarms
from pipelines.local.hosting.deployment import Deployment, Phase
from pipelines.local.hosting.documents import Record
from pipelines.local.hosting.fleet import Fleet
from pipelines.local.hosting.gateway import Gateway
from pipelines.local.hosting.metrics import Metrics
from pipelines.local.hosting.routes import Routes
from pipelines.local.hosting.traffic import plan_of

logger = logging.getLogger(__name__)

# A request may wait for a server, for its model, and once more for both.
DRAIN_SECONDS = 150.0
UNHEALTHY = (
    "The primary container for production variant {variant} did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint. {reason}"
)


@dataclass(frozen=True)
class Scene:
    """What a deployment acts on."""

    record: Record
    gateway: Gateway
    metrics: Metrics
    alarms: Alarms


class Rollout:
    """Brings a green fleet into service in place of a blue one, if there is one, or gives it up.

    What was carried out is not carried out twice, except after an error, when `step` is called again.
    """

    def __init__(self, scene: Scene, wanted: Document, *, blue: Fleet | None, green: Fleet, started: float) -> None:
        self._scene = scene
        self._wanted = wanted
        self._blue = blue
        self._green = green
        self._started = started
        config = wanted.get("DeploymentConfig") if blue else None
        plan = plan_of(config, green.instances)
        self._deployment = Deployment(plan, started)
        self._patience = scene.alarms.patience(plan.alarms)
        self._carried_out: Phase | None = None
        self._retirement: threading.Thread | None = None
        self.is_over = False

    @property
    def fleet(self) -> Fleet | None:
        """The fleet that serves when it is over; None when the endpoint's first one could not start."""
        return self._green if self._deployment.phase is Phase.DEPLOYED else self._blue

    @property
    def fleets(self) -> tuple[Fleet, ...]:
        """All fleets that there are meanwhile."""
        return (self._blue, self._green) if self._blue else (self._green,)

    def step(self, now: float, ringing: Sequence[str], oldest: float | None) -> None:
        """Do what is to be done now.

        `ringing` are the names of the alarms in ALARM state, `oldest` is when the oldest request was sent that the
        green fleet has not answered.
        """
        deployment, failed = self._deployment, self._green.failed
        failure = UNHEALTHY.format(variant=failed.name, reason=failed.failure) if failed else None
        deployment.advance(now, ready=self._green.is_ready, failure=failure, ringing=ringing, oldest=oldest)
        if deployment.phase is not self._carried_out:
            self._carry_out(deployment.phase)
            self._carried_out = deployment.phase
        if deployment.phase is Phase.GIVEN_UP:
            self._end_rollback(is_answered=oldest is None)
        elif not failed:
            self._green.keep()

    def _carry_out(self, phase: Phase) -> None:
        share = f", {self._deployment.share:.0%} of the traffic" if self._deployment.share else ""
        logger.info("deployment of %s: %s%s", self._green.config_name, phase.value, share)
        if phase is Phase.ACTIVATING:
            self._activate()
        if phase is Phase.DEPLOYED:
            self._finish()
        elif phase is Phase.GIVEN_UP:
            self._give_up()
        elif self._blue:
            self._show()

    def _activate(self) -> None:
        if self._carried_out is Phase.CREATING:
            # What was before says nothing about the green fleet.
            self._scene.metrics.clear()
        if self._blue:
            routes = Routes(self._blue, self._green, self._deployment.share, self._patience)
        else:
            routes = Routes(self._green)
        self._scene.gateway.route(routes)

    def _show(self) -> None:
        assert self._blue
        self._scene.record.change(
            EndpointStatus="Updating",
            FailureReason=None,
            ProductionVariants=summaries.variants(self._blue, 1 - self._deployment.share),
            PendingDeploymentSummary=summaries.pending(self._green, self._deployment, self._started),
        )

    def _finish(self) -> None:
        self._scene.gateway.route(Routes(self._green))
        self._scene.record.change(
            self._wanted,
            EndpointStatus="InService",
            EndpointConfigName=self._green.config_name,
            FailureReason=None,
            ProductionVariants=summaries.variants(self._green),
            PendingDeploymentSummary=None,
        )
        if self._blue:
            self._blue.retire(DRAIN_SECONDS)
        self.is_over = True

    def _give_up(self) -> None:
        logger.info("deployment of %s: %s", self._green.config_name, self._deployment.reason)
        if self._blue:
            self._scene.gateway.route(Routes(self._blue))
            self._scene.record.change(
                EndpointStatus="RollingBack",
                FailureReason=self._deployment.reason,
                ProductionVariants=summaries.variants(self._blue),
                PendingDeploymentSummary=summaries.pending(self._green, self._deployment, self._started),
            )
        self._retirement = self._green.retire(DRAIN_SECONDS)

    def _end_rollback(self, *, is_answered: bool) -> None:
        if not is_answered or (self._retirement and self._retirement.is_alive()):
            return
        # The errors of the green fleet went with it; alarms on them must not end the next deployment.
        self._scene.metrics.clear()
        self._scene.record.change(
            self._wanted,
            EndpointStatus="InService" if self._blue else "Failed",
            FailureReason=self._deployment.reason,
            PendingDeploymentSummary=None,
        )
        self.is_over = True
