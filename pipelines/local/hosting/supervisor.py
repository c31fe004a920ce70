"""The endpoint's process at work: it does what the document wants, and keeps running what it says."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from pipelines.local.database import Document, identity
from pipelines.local.errors import StateError
from pipelines.local.hosting.documents import WANTED, MissingConfig
from pipelines.local.hosting.fleet import Fleet
from pipelines.local.hosting.rollout import Rollout, Scene
from pipelines.local.hosting.routes import Routes
from pipelines.local.hosting.variant import CANNOT_START, Serve

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1
BUSY_SECONDS = 0.05
ALARM_SECONDS = 1.0
STOP_SECONDS = 10.0


class Supervisor:
    """Looks at the endpoint's document every moment, until the endpoint is deleted, has failed, or is another's.

    run: step after step
        _resume    at first: what was served is served again
        _begin     when something else is wanted: a rollout
        _roll_out  the rollout, a step further
    """

    def __init__(self, scene: Scene, serve: Serve, clock: Callable[[], float]) -> None:
        self._scene = scene
        self._record = scene.record
        self._alarms = scene.alarms
        self._serve = serve
        self._clock = clock
        self._serving: Fleet | None = None
        self._rollout: Rollout | None = None
        self._next_alarms = 0.0
        self._has_resumed = self._is_deleted = False

    def run(self, stop: threading.Event, state: Path) -> None:
        """Work until it is told to stop, there is nothing to do any more, or the state's file is another or gone."""
        opened = identity(state)
        while not stop.is_set() and opened == identity(state):
            try:
                if not self.step():
                    return
            except (sqlite3.OperationalError, StateError) as error:
                # What is served is served on, and what could not be written down is tried again.
                logger.warning("the state cannot be read or written: %s", error)
            stop.wait(BUSY_SECONDS if self._rollout else POLL_SECONDS)

    def step(self) -> bool:
        """Do what is to be done now; tell whether there may be more to do later."""
        document = self._record.read()
        if document is None:
            return False
        wanted = document.get(WANTED)
        if wanted and wanted.get("Deleted"):
            self._is_deleted = True
            return False
        try:
            self._take_up(document, wanted)
        except MissingConfig as error:
            return self._refuse(wanted, str(error))
        if self._rollout:
            return self._roll_out(self._rollout)
        if self._serving:
            self._serving.keep()
            self._tell_of(self._serving, document)
            self._look_at_alarms()
        return self._serving is not None

    def stop(self) -> None:
        """End the model servers, giving their requests some seconds, and, where that was wanted, the endpoint."""
        fleets = self._rollout.fleets if self._rollout else (self._serving,)
        for thread in [fleet.retire(STOP_SECONDS) for fleet in fleets if fleet]:
            thread.join(2 * STOP_SECONDS)
        if self._is_deleted:
            self._record.remove()
            logger.info("endpoint: deleted")

    def _take_up(self, document: Document, wanted: Document | None) -> None:
        if not self._has_resumed:
            self._resume(document)
            self._has_resumed = True
        if wanted and not self._rollout:
            self._begin(document, wanted)

    def _refuse(self, wanted: Document | None, reason: str) -> bool:
        """Say why what is wanted, or was served, cannot be had; tell whether something is served nevertheless."""
        status = "InService" if self._serving else "Failed"
        self._record.change(wanted, EndpointStatus=status, FailureReason=reason, PendingDeploymentSummary=None)
        logger.info("endpoint: %s: %s", status, reason)
        return self._serving is not None

    def _resume(self, document: Document) -> None:
        if document["EndpointStatus"] == "Creating":
            return
        fleet = self._serving = self._fleet(document["EndpointConfigName"])
        fleet.keep()
        self._scene.gateway.route(Routes(fleet))
        logger.info("endpoint: %s, serving %s", document["EndpointStatus"], fleet.config_name)

    def _begin(self, document: Document, wanted: Document) -> None:
        if document["EndpointStatus"] == "RollingBack":
            self._record.change(wanted, EndpointStatus="InService", PendingDeploymentSummary=None)
            logger.info("endpoint: InService again, after the rollback")
            return
        green = self._fleet(wanted["EndpointConfigName"])
        started = document.get("PendingDeploymentSummary", {}).get("StartTime") or self._clock()
        self._rollout = Rollout(self._scene, wanted, blue=self._serving, green=green, started=started)

    def _roll_out(self, rollout: Rollout) -> bool:
        if self._serving:
            self._serving.keep()
        # In this order, so that what a request was counted as is known when it is not waited for any more.
        oldest, now = self._scene.gateway.oldest_trial, self._clock()
        rollout.step(now, self._alarms.ringing(now), oldest)
        if rollout.is_over:
            self._serving, self._rollout = rollout.fleet, None
            logger.info(
                "endpoint: %s", f"InService, serving {rollout.fleet.config_name}" if rollout.fleet else "Failed"
            )
        return bool(self._serving or self._rollout)

    def _tell_of(self, serving: Fleet, document: Document) -> None:
        """Write down why a server cannot be started again; once it is there, take that away."""
        reason, said = serving.lasting_failure, document.get("FailureReason", "")
        if reason and reason != said:
            self._record.change(FailureReason=reason)
        elif said.startswith(CANNOT_START) and serving.is_ready:
            self._record.change(FailureReason=None)

    def _look_at_alarms(self) -> None:
        now = self._clock()
        if now >= self._next_alarms:
            self._next_alarms = now + ALARM_SECONDS
            self._alarms.ringing(now)

    def _fleet(self, config: str) -> Fleet:
        return Fleet(self._record.config(config), self._serve)
