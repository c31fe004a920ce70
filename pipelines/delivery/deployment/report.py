"""What a test of an endpoint found: each check with its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that an endpoint must hold, whether it does, and the numbers of it."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Latency:
    """Milliseconds of requests with a single row, each at a percentile, and how many there were."""

    p50: float
    p95: float
    p99: float
    requests: int


@dataclass(frozen=True)
class Report:
    """A test of one config: its checks, and the measurements as far as it came.

    Rows from elsewhere than the package may be unsuitable, which says nothing of the model.
    """

    config: str
    rows: int
    checks: tuple[Check, ...]
    latency: Latency | None = None
    roc_auc: float | None = None
    registered: float | None = None
    unsuitable: str | None = None

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        return all(check.passed for check in self.checks)

    @property
    def reason(self) -> str:
        """What is not well."""
        return "; ".join(f"{check.name}: {check.detail}" for check in self.checks if not check.passed)


def percentiles(seconds: Sequence[float]) -> Latency:
    """Return the nearest ranks of what was measured, in milliseconds."""
    ordered = sorted(seconds)

    def at(percent: int) -> float:
        return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] * 1000

    return Latency(at(50), at(95), at(99), len(ordered))
