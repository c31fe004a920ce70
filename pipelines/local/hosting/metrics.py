"""What an endpoint's requests were like: CloudWatch's metrics of a variant, kept for a quarter of an hour."""

import math
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

RETENTION_SECONDS = 900
# Percentiles are exact to one percent.
RESOLUTION = math.log(1.01)
MICROSECONDS = 1e6


@dataclass
class Distribution:
    """Values of one metric: how many, their sum, and how they are spread."""

    count: int = 0
    total: float = 0.0
    least: float = math.inf
    greatest: float = -math.inf
    spread: Counter[int] = field(default_factory=Counter)

    def add(self, value: float) -> None:
        """Take in a value, zero or more."""
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)
        self.spread[math.ceil(math.log(value) / RESOLUTION) if value >= 1 else -1] += 1

    def merge(self, other: "Distribution") -> None:
        """Take in the values of another."""
        self.count += other.count
        self.total += other.total
        self.least = min(self.least, other.least)
        self.greatest = max(self.greatest, other.greatest)
        self.spread.update(other.spread)

    def percentile(self, percent: float) -> float:
        """Return the value that so many percent of the values do not exceed; there must be values."""
        wanted = max(1, math.ceil(self.count * percent / 100))
        seen = 0
        for step in sorted(self.spread):
            seen += self.spread[step]
            if seen >= wanted:
                break
        return min(max(math.exp(step * RESOLUTION), self.least), self.greatest)


@dataclass(frozen=True)
class Invocation:
    """One request to a variant: the model's status, None when it gave none, and the seconds in it and around it.

    Those in it are None where they were counted as a wait.
    """

    variant: str
    status: int | None
    model_seconds: float | None
    overhead_seconds: float

    def values(self) -> Iterable[tuple[str, float]]:
        """Yield the metrics that the service has of a request, latencies in microseconds."""
        status = self.status or 500
        yield "Invocations", 1
        yield "Invocation4XXErrors", 400 <= status < 500
        yield "Invocation5XXErrors", status >= 500
        yield "InvocationModelErrors", not 200 <= status < 300
        if self.model_seconds is not None:
            yield "ModelLatency", self.model_seconds * MICROSECONDS
        yield "OverheadLatency", self.overhead_seconds * MICROSECONDS


@dataclass(frozen=True)
class Wait:
    """A request that a variant has not answered for so many seconds, counted before it does."""

    variant: str
    seconds: float

    def values(self) -> Iterable[tuple[str, float]]:
        """Yield the metric that knows of it, in microseconds."""
        yield "ModelLatency", self.seconds * MICROSECONDS


Second = dict[tuple[str, str], Distribution]


class Metrics:
    """The metrics of one endpoint, by variant and second; threads may share it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._seconds: deque[tuple[int, Second]] = deque(maxlen=RETENTION_SECONDS)

    def record(self, event: Invocation | Wait) -> None:
        """Count a request at the present time."""
        now = int(self.clock())
        with self._lock:
            if not self._seconds or self._seconds[-1][0] < now:
                self._seconds.append((now, {}))
            second = self._seconds[-1][1]
            for name, value in event.values():
                key = event.variant, name
                if key not in second:
                    second[key] = Distribution()
                second[key].add(value)

    def window(self, variant: str, metric: str, start: float, end: float) -> Distribution:
        """Return the values of a metric after a time and until another."""
        found = Distribution()
        with self._lock:
            for second, values in reversed(self._seconds):
                if second <= start:
                    break
                if second <= end and (variant, metric) in values:
                    found.merge(values[variant, metric])
        return found

    def clear(self) -> None:
        """Forget everything, so that a deployment is judged by its own requests."""
        with self._lock:
            self._seconds.clear()
