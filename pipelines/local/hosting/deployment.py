"""A deployment: the new, green fleet takes the traffic of the old, blue one step by step, or is given up."""

from collections.abc import Sequence
from enum import Enum

from pipelines.local.hosting.traffic import Plan, Stage

NOTHING_YET = Stage(0.0, 0.0)


class Phase(Enum):
    """Where a deployment stands; DEPLOYED and GIVEN_UP are its ends."""

    CREATING = "Creating"
    ACTIVATING = "ActivatingTraffic"
    BAKING = "Baking"
    TERMINATING = "Terminating"
    DEPLOYED = "Deployed"
    GIVEN_UP = "GivenUp"


class Deployment:
    """What becomes of one deployment as time goes by; it knows nothing of fleets, and is told what there is to know.

    advance: each of these goes on to the next in its time
        CREATING     until the green fleet is ready
        ACTIVATING   its share of the traffic is raised: to what `share` says
        BAKING       it is watched; then ACTIVATING again, until it has all
        TERMINATING  it has all the traffic, and the blue fleet could still take it back
        DEPLOYED
    but GIVEN_UP, with a reason, when the fleet cannot start, an alarm rings, or it takes too long.
    """

    def __init__(self, plan: Plan, started: float) -> None:
        self._plan = plan
        self._stages = iter(plan.stages)
        self._stage = NOTHING_YET
        self._started = self.since = started
        self.phase = Phase.CREATING
        self.reason = ""

    @property
    def share(self) -> float:
        """The green fleet's share of the traffic."""
        return 0.0 if self.phase is Phase.GIVEN_UP else self._stage.share

    @property
    def is_watched(self) -> bool:
        """Whether alarms count: there is, or was, traffic for the green fleet."""
        return self.phase in {Phase.ACTIVATING, Phase.BAKING, Phase.TERMINATING}

    @property
    def is_over(self) -> bool:
        """Whether it has come to one of its ends."""
        return self.phase in {Phase.DEPLOYED, Phase.GIVEN_UP}

    def advance(
        self,
        now: float,
        *,
        ready: bool,
        failure: str | None = None,
        ringing: Sequence[str] = (),
        oldest: float | None = None,
    ) -> None:
        """Go on to where it stands now: whether the green fleet is ready, why it is not, and which alarms ring.

        `oldest` is when the oldest request was sent to it that it has not answered; a time in which it is watched is
        not over before those are that were sent in it.
        """
        problem = failure or self._problem(now, ringing, ready=ready)
        if self.is_over:
            return
        if problem:
            self.reason = problem
            self._enter(Phase.GIVEN_UP, now)
        elif self.phase is Phase.CREATING:
            if ready:
                self._next_stage(now)
        elif self.phase is Phase.ACTIVATING:
            self._enter(Phase.BAKING, now)
        elif self.phase is Phase.BAKING:
            if self._is_past(self.since + self._stage.seconds, now, oldest):
                self._next_stage(now)
        elif self._is_past(self.since + self._plan.termination_seconds, now, oldest):
            self._enter(Phase.DEPLOYED, now)

    def _is_past(self, end: float, now: float, oldest: float | None) -> bool:
        return now >= end and (oldest is None or oldest > end)

    def _problem(self, now: float, ringing: Sequence[str], *, ready: bool) -> str | None:
        alarms = sorted(set(ringing) & set(self._plan.alarms)) if self.is_watched else []
        if alarms:
            noun = "alarm is" if len(alarms) == 1 else "alarms are"
            return f"The following CloudWatch {noun} in ALARM state: {', '.join(alarms)}."
        if self.is_watched and not ready:
            return "A model server of the new fleet ended."
        if now - self._started > self._plan.time_limit:
            return f"The deployment took longer than {self._plan.time_limit:.0f} seconds."
        return None

    def _next_stage(self, now: float) -> None:
        stage = next(self._stages, None)
        self._stage = stage or self._stage
        self._enter(Phase.ACTIVATING if stage else Phase.TERMINATING, now)

    def _enter(self, phase: Phase, now: float) -> None:
        self.phase, self.since = phase, now
