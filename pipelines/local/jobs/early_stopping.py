"""When a tuning job ends a bad trial early, by the objective values that the trial has printed so far.

A curve is a trial's objective values, one per line that it printed, where higher is better. All that decides about a
trial are its own curve and the curves of the trials whose results were known when it began. So the decision does not
depend on what else happens to run at the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Curve = Sequence[float]

FEWEST_PEERS = 3


class Rule(Protocol):
    """What a trial must reach to go on."""

    def limit(self, step: int, peers: Sequence[Curve]) -> float | None:
        """Return the value below which a trial is ended at a step, counted from 0; None if it may go on anyway."""


class Never:
    """Every trial runs to its end."""

    def limit(self, step: int, peers: Sequence[Curve]) -> float | None:
        """Return None."""


class Median:
    """A trial must reach the median of the running averages of the earlier trials up to the same step.

    Source: "Stop Training Jobs Early" in the service's guide (TrainingJobEarlyStoppingType Auto).
    """

    def limit(self, step: int, peers: Sequence[Curve]) -> float | None:
        """Return the median, if enough earlier trials came as far."""
        averages = sorted(sum(peer[: step + 1]) / (step + 1) for peer in peers if len(peer) > step)
        middle = len(averages) // 2
        if len(averages) < FEWEST_PEERS:
            return None
        return averages[middle] if len(averages) % 2 else (averages[middle - 1] + averages[middle]) / 2


@dataclass(frozen=True)
class Halving:
    """At some steps, a trial must be among the best third of the trials that came as far: `first`, three times that...

    This is the part of Hyperband that saves time: successive halving, which starts all trials with the same share.
    `first` and `last` are counted from 1, as in the service's MinResource and MaxResource.
    """

    first: int
    last: int
    factor: int = 3

    def limit(self, step: int, peers: Sequence[Curve]) -> float | None:
        """Return the value of the last trial in the best third, if this step is one of those where it counts."""
        values = sorted((peer[step] for peer in peers if len(peer) > step), reverse=True)
        if not self._is_rung(step + 1) or len(values) + 1 < FEWEST_PEERS:
            return None
        return values[(len(values) + 1) // self.factor - 1]

    def _is_rung(self, resource: int) -> bool:
        rung = self.first
        while rung < resource:
            rung *= self.factor
        return rung == resource < self.last


def end_of(curve: Curve, peers: Sequence[Curve], rule: Rule, *, known: int = 0) -> int | None:
    """Return the first step at which a trial is to be ended, or None; steps before `known` are known to be good."""
    for step in range(known, len(curve)):
        limit = rule.limit(step, peers)
        if limit is not None and curve[step] < limit:
            return step
    return None
