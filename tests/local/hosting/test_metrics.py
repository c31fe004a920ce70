"""What is counted of requests."""

import random
import threading

import pytest

from pipelines.local.hosting.metrics import RETENTION_SECONDS, Distribution, Invocation, Metrics


class Stopped:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Stopped:
    return Stopped()


@pytest.fixture
def metrics(clock: Stopped) -> Metrics:
    return Metrics(clock)


def values(metrics: Metrics, metric: str, variant: str = "v") -> tuple[int, float]:
    found = metrics.window(variant, metric, 0.0, 1e12)
    return found.count, found.total


@pytest.mark.parametrize(
    ("status", "errors_4xx", "errors_5xx", "model_errors"),
    [(200, 0, 0, 0), (204, 0, 0, 0), (400, 1, 0, 1), (415, 1, 0, 1), (500, 0, 1, 1), (503, 0, 1, 1), (None, 0, 1, 1)],
)
def test_each_request_is_counted_by_what_became_of_it(
    metrics: Metrics, status: int | None, errors_4xx: int, errors_5xx: int, model_errors: int
) -> None:
    metrics.record(Invocation("v", status, 0.25, 0.001))
    assert values(metrics, "Invocations") == (1, 1)
    assert values(metrics, "Invocation4XXErrors") == (1, errors_4xx)
    assert values(metrics, "Invocation5XXErrors") == (1, errors_5xx)
    assert values(metrics, "InvocationModelErrors") == (1, model_errors)
    assert values(metrics, "ModelLatency") == (1, 250_000)
    assert values(metrics, "OverheadLatency")[1] == pytest.approx(1000)


def test_variants_are_counted_apart(metrics: Metrics) -> None:
    metrics.record(Invocation("v", 200, 0.1, 0.1))
    assert values(metrics, "Invocations", "other") == (0, 0)


def test_a_window_has_what_was_after_its_start_and_until_its_end(metrics: Metrics, clock: Stopped) -> None:
    for second in range(10):
        clock.now = 1000.0 + second
        metrics.record(Invocation("v", 200, float(second), 0.0))
    found = metrics.window("v", "ModelLatency", 1003.0, 1006.0)
    assert (found.count, found.least, found.greatest) == (3, 4e6, 6e6)


def test_what_is_old_is_forgotten(metrics: Metrics, clock: Stopped) -> None:
    for second in range(RETENTION_SECONDS + 5):
        clock.now = 1000.0 + second
        metrics.record(Invocation("v", 200, 0.0, 0.0))
    assert values(metrics, "Invocations") == (RETENTION_SECONDS, RETENTION_SECONDS)


def test_what_was_cleared_is_not_counted(metrics: Metrics) -> None:
    metrics.record(Invocation("v", 500, 0.0, 0.0))
    metrics.clear()
    assert values(metrics, "Invocation5XXErrors") == (0, 0)


@pytest.mark.parametrize("percent", [1, 50, 90, 95, 99, 99.9, 100])
def test_percentiles_are_exact_to_one_percent(percent: float) -> None:
    generator = random.Random(7)
    drawn = [generator.lognormvariate(7, 2) for _ in range(2000)]
    distribution = Distribution()
    for value in drawn:
        distribution.add(value)
    exact = sorted(drawn)[max(1, -int(-len(drawn) * percent // 100)) - 1]
    assert distribution.percentile(percent) == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("only", [0.0, 0.5, 1.0, 123.4])
def test_the_percentiles_of_one_value_are_that_value(only: float) -> None:
    distribution = Distribution()
    distribution.add(only)
    assert distribution.percentile(50) == only


def test_nothing_is_lost_when_threads_count_at_once(metrics: Metrics) -> None:
    def count() -> None:
        for _ in range(500):
            metrics.record(Invocation("v", 200, 0.0, 0.0))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values(metrics, "Invocations") == (4000, 4000)
