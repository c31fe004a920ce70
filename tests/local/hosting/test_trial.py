"""Requests to a green variant that takes long, or answers at length: who answers them, and what they are counted as."""

import threading
from collections.abc import Iterator

import pytest

from pipelines.local.hosting.gateway import Gateway
from pipelines.local.hosting.listener import MAX_BODY_BYTES
from pipelines.local.hosting.metrics import Distribution, Metrics
from pipelines.local.hosting.routes import Routes
from pipelines.local.hosting.upstream import Limits
from tests.local.containers.processes import wait_for
from tests.local.hosting.backend import Backends, Reply, says
from tests.local.hosting.clients import Client
from tests.local.hosting.conftest import Started

TOO_LONG = b"0.5\n" * (MAX_BODY_BYTES // 4 + 1)


def counted(metrics: Metrics, metric: str, variant: str = "green") -> Distribution:
    return metrics.window(variant, metric, 0.0, 1e12)


class Site:
    """A blue fleet, a green one that all requests are tried with, and what the green one says when it may."""

    def __init__(self, gateway: Gateway, backends: Backends, start: Started) -> None:
        self.may_answer = threading.Event()
        self.reply: Reply = (200, b"green")
        backends.scripts["green"] = self._answer
        self._gateway = gateway
        self.fleets = start(backends.fleet("blue")), start(backends.fleet("green"))

    def _answer(self, _: bytes) -> Reply:
        self.may_answer.wait(30)
        return self.reply

    def route(self, patience: float | None) -> None:
        self._gateway.route(Routes(*self.fleets, 1.0, patience))

    def is_settled(self) -> bool:
        return self._gateway.oldest_trial is None


@pytest.fixture
def site(gateway: Gateway, backends: Backends, start: Started) -> Iterator[Site]:
    made = Site(gateway, backends, start)
    yield made
    made.may_answer.set()


@pytest.mark.parametrize("limits", [Limits(trial=30.0, longest_trial=60.0)])
@pytest.mark.parametrize(
    ("reply", "is_error"), [((200, b"green"), False), ((400, b"why"), True), ((500, b"bug"), True)]
)
def test_a_late_answer_is_given_by_the_blue_variant_and_counted_at_once(
    site: Site, client: Client, metrics: Metrics, gateway: Gateway, reply: Reply, is_error: bool
) -> None:
    site.reply = reply
    site.route(patience=0.2)
    before = metrics.clock()
    response = client.ask()
    assert (response.status, response.text) == (200, "blue")
    assert counted(metrics, "ModelLatency").least > 200_000
    assert gateway.oldest_trial is not None
    assert before <= gateway.oldest_trial <= metrics.clock()
    site.may_answer.set()
    wait_for(site.is_settled)
    assert counted(metrics, "ModelLatency").count == counted(metrics, "Invocations").total == 1
    assert counted(metrics, "Invocation5XXErrors").total == is_error
    assert counted(metrics, "Invocations", "blue").count == 0


@pytest.mark.parametrize("limits", [Limits(trial=0.3)])
@pytest.mark.parametrize("patience", [None, 0.1])
def test_what_is_never_answered_is_an_error_after_the_time_for_trials(
    site: Site, client: Client, metrics: Metrics, patience: float | None
) -> None:
    site.route(patience)
    assert client.ask().text == "blue"
    wait_for(site.is_settled)
    assert counted(metrics, "Invocation5XXErrors").total == 1
    assert counted(metrics, "ModelLatency").count == 1


@pytest.mark.parametrize("limits", [Limits(trial=0.1, longest_trial=0.3)])
def test_no_alarm_lets_a_client_wait_for_longer_than_the_longest_trial(
    site: Site, client: Client, metrics: Metrics
) -> None:
    site.route(patience=60.0)
    assert client.ask().text == "blue"
    assert counted(metrics, "Invocation5XXErrors").total == 1


@pytest.mark.parametrize("limits", [Limits(trial=30.0, longest_trial=60.0)])
@pytest.mark.parametrize("patience", [None, 20.0])
def test_a_slow_model_answers_itself_where_no_alarm_minds(
    site: Site, client: Client, metrics: Metrics, gateway: Gateway, patience: float | None
) -> None:
    site.route(patience)
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(client.ask().text))
    asking.start()
    wait_for(lambda: gateway.oldest_trial is not None)
    site.may_answer.set()
    asking.join()
    assert answers == ["green"]
    assert site.is_settled()
    assert counted(metrics, "Invocation5XXErrors").total == 0


@pytest.mark.parametrize("limits", [Limits(trial=30.0, longest_trial=60.0)])
def test_a_late_answer_is_waited_for_where_the_blue_variant_has_none(
    site: Site, client: Client, backends: Backends
) -> None:
    def script(_: bytes) -> Reply:
        site.may_answer.set()
        return 500, b"broken"

    backends.latest("blue").script = script
    site.route(patience=0.1)
    assert client.ask().text == "green"


def test_an_answer_that_invoke_endpoint_could_not_pass_on_is_an_error_of_the_green_variant(
    site: Site, client: Client, metrics: Metrics
) -> None:
    site.reply = (200, TOO_LONG)
    site.may_answer.set()
    site.route(None)
    response = client.ask()
    assert (response.status, response.text) == (200, "blue")
    assert counted(metrics, "Invocation5XXErrors").total == 1


def test_an_answer_that_is_too_long_of_both_is_the_clients_wish(
    site: Site, client: Client, metrics: Metrics, backends: Backends
) -> None:
    backends.latest("blue").script = says(TOO_LONG.decode())
    site.reply = (200, TOO_LONG)
    site.may_answer.set()
    site.route(None)
    response = client.ask()
    assert response.headers["x-Amzn-Invoked-Production-Variant"] == "green"
    assert len(response.text) == len(TOO_LONG)
    assert counted(metrics, "Invocation5XXErrors").total == 0


def test_requests_to_the_blue_variant_are_no_trials(
    site: Site, client: Client, gateway: Gateway, backends: Backends
) -> None:
    seen: list[float | None] = []

    def script(_: bytes) -> Reply:
        seen.append(gateway.oldest_trial)
        return 200, b"blue"

    backends.latest("blue").script = script
    gateway.route(Routes(*site.fleets, 0.0, 1.0))
    assert client.ask().text == "blue"
    assert seen == [None]
