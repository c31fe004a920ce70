from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.local.hosting.fleet import Fleet
from pipelines.local.hosting.gateway import Gateway
from pipelines.local.hosting.listener import listen
from pipelines.local.hosting.metrics import Metrics
from pipelines.local.hosting.upstream import Limits
from tests.local.containers.processes import wait_for
from tests.local.hosting.backend import Backends
from tests.local.hosting.clients import Client
from tests.local.hosting.supervised import Clock, Endpoint

Started = Callable[[Fleet], Fleet]


@pytest.fixture
def backends() -> Iterator[Backends]:
    made = Backends()
    yield made
    made.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics(clock: Clock) -> Metrics:
    return Metrics(clock)


@pytest.fixture
def limits() -> Limits:
    return Limits(model=5.0, trial=1.0, start=5.0)


@pytest.fixture
def gateway(metrics: Metrics, limits: Limits) -> Iterator[Gateway]:
    made = Gateway(listen(None), metrics, limits)
    made.start()
    yield made
    made.close()


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    with closing(Client(gateway.port)) as made:
        yield made


@pytest.fixture
def start() -> Started:
    """Return a function that waits until a fleet is ready."""

    def started(fleet: Fleet) -> Fleet:
        fleet.keep()
        wait_for(lambda: fleet.is_ready)
        return fleet

    return started


@pytest.fixture
def endpoint(
    tmp_path: Path, gateway: Gateway, metrics: Metrics, backends: Backends, clock: Clock
) -> Iterator[Endpoint]:
    made = Endpoint(tmp_path, gateway, metrics, backends, clock)
    yield made
    made.supervisor.stop()
    made.database.close()
    made.ownership.release()


@pytest.fixture
def serving(endpoint: Endpoint) -> Endpoint:
    """An endpoint in service."""
    endpoint.write("Creating", Wanted={"EndpointConfigName": "old", "DeploymentConfig": None})
    endpoint.step_to("InService")
    return endpoint
