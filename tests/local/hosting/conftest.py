import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from pipelines.local.hosting.fleet import Fleet
from pipelines.local.hosting.gateway import Gateway, Limits
from pipelines.local.hosting.listener import listen
from pipelines.local.hosting.metrics import Metrics
from tests.local.containers.processes import wait_for
from tests.local.hosting.backend import Backends

Started = Callable[[Fleet], Fleet]


class Client:
    """A client that keeps its connection to a port."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, body: bytes = b"1,2", path: str = "/invocations", method: str = "POST", **headers: str) -> Any:
        """Return the response; its `text` is the body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, named)
        response: Any = self.connection.getresponse()
        response.text = response.read().decode()
        return response

    def close(self) -> None:
        self.connection.close()


class Load:
    """Clients that ask all the time, each over a connection of its own; `answers` is what they got."""

    def __init__(self, port: int, clients: int = 4) -> None:
        self._port = port
        self._ending = threading.Event()
        self.answers: list[tuple[int, str]] = []
        self.problems: list[Exception] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def _ask(self) -> None:
        with closing(Client(self._port)) as client:
            while not self._ending.is_set():
                try:
                    response = client.ask()
                except (OSError, http.client.HTTPException) as problem:
                    self.problems.append(problem)
                    return
                self.answers.append((response.status, response.text))

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        self.wait_for_more()
        return self

    def wait_for_more(self, count: int = 20) -> None:
        """Wait until so many more answers came."""
        wanted = len(self.answers) + count
        wait_for(lambda: len(self.answers) >= wanted or bool(self.problems))

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def backends() -> Iterator[Backends]:
    made = Backends()
    yield made
    made.stop()


class Clock:
    """This machine's clock, and how far a test has moved it ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


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
