"""Requests through the gateway: by whom they are answered, also while servers come and go."""

import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from pipelines.local.hosting.fleet import Fleet
from pipelines.local.hosting.gateway import Gateway
from pipelines.local.hosting.metrics import Metrics
from pipelines.local.hosting.routes import Routes
from pipelines.local.hosting.upstream import Limits
from tests.local.containers.processes import wait_for
from tests.local.hosting.backend import Backends, HangUp, Reply, says
from tests.local.hosting.clients import Client, Load
from tests.local.hosting.conftest import Started


def total(metrics: Metrics, variant: str, metric: str) -> float:
    return metrics.window(variant, metric, 0.0, 1e12).total


def failing(times: int, then: str, said: bytes = b"") -> Callable[[bytes], Reply]:
    """Return a script that breaks off so many connections, after saying something, before it answers."""
    left = [times]

    def script(_: bytes) -> Reply:
        if left[0]:
            left[0] -= 1
            raise HangUp(said)
        return 200, then.encode()

    return script


def test_a_request_goes_to_the_model_and_its_answer_comes_back(
    gateway: Gateway, backends: Backends, client: Client, start: Started
) -> None:
    backends.scripts["m"] = lambda body: (200, body.upper())
    gateway.route(Routes(start(backends.fleet("m"))))
    response = client.ask(b"a,b\n" * 100_000, Content_Type="text/csv", Accept="text/csv", Cookie="c=1")
    assert (response.status, response.text) == (200, "A,B\n" * 100_000)
    assert response.headers["Content-Type"] == "text/csv"
    assert response.headers["x-Amzn-Invoked-Production-Variant"] == "m"
    (seen,) = backends.latest("m").headers
    assert {name: seen.get(name) for name in ("content-type", "accept", "cookie")} == {
        "content-type": "text/csv",
        "accept": "text/csv",
        "cookie": None,
    }


def test_custom_attributes_reach_the_model(
    gateway: Gateway, backends: Backends, client: Client, start: Started
) -> None:
    gateway.route(Routes(start(backends.fleet("m"))))
    client.ask(X_Amzn_SageMaker_Custom_Attributes="trace=7")
    assert backends.latest("m").headers[0]["x-amzn-sagemaker-custom-attributes"] == "trace=7"


@pytest.mark.parametrize("status", [200, 400, 406, 415, 500, 503])
def test_whatever_the_model_says_is_the_answer(
    gateway: Gateway, backends: Backends, client: Client, start: Started, metrics: Metrics, status: int
) -> None:
    backends.scripts["m"] = says("why", status)
    gateway.route(Routes(start(backends.fleet("m"))))
    response = client.ask()
    assert (response.status, response.text) == (status, "why")
    assert total(metrics, "m", "Invocations") == 1
    assert total(metrics, "m", "Invocation5XXErrors") == (status >= 500)


def test_a_variant_can_be_asked_for(gateway: Gateway, backends: Backends, client: Client, start: Started) -> None:
    gateway.route(Routes(start(backends.fleet("a", "b"))))
    assert {client.ask(X_Amzn_SageMaker_Target_Variant="b").text for _ in range(4)} == {"b"}
    refused = client.ask(X_Amzn_SageMaker_Target_Variant="c")
    assert (refused.status, refused.text) == (400, "Variant c not found; this endpoint has a, b.\n")


def test_ping_tells_whether_the_models_answer(
    gateway: Gateway, backends: Backends, client: Client, start: Started
) -> None:
    assert client.ask(path="/ping", method="GET").status == 503
    fleet = start(backends.fleet("m"))
    gateway.route(Routes(fleet))
    assert client.ask(path="/ping", method="GET").status == 200
    backends.latest("m").kill()
    fleet.keep()
    assert client.ask(path="/ping", method="GET").status == 503


def test_requests_wait_for_the_first_fleet(
    gateway: Gateway, backends: Backends, client: Client, start: Started
) -> None:
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(client.ask().text))
    asking.start()
    gateway.route(Routes(start(backends.fleet("m"))))
    asking.join()
    assert answers == ["m"]


def test_a_connection_that_breaks_before_the_answer_is_tried_once_more(
    gateway: Gateway, backends: Backends, client: Client, start: Started, metrics: Metrics
) -> None:
    backends.scripts["m"] = failing(1, "answer")
    gateway.route(Routes(start(backends.fleet("m"))))
    assert client.ask().text == "answer"
    assert total(metrics, "m", "Invocation5XXErrors") == 0


def test_an_answer_that_ends_early_is_asked_for_once_more(
    gateway: Gateway, backends: Backends, client: Client, start: Started
) -> None:
    backends.scripts["m"] = failing(1, "answer", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nansw")
    gateway.route(Routes(start(backends.fleet("m"))))
    assert client.ask().text == "answer"


def test_a_model_that_breaks_off_twice_is_not_asked_again(
    gateway: Gateway, backends: Backends, client: Client, start: Started, metrics: Metrics
) -> None:
    backends.scripts["m"] = failing(2, "answer")
    gateway.route(Routes(start(backends.fleet("m"))))
    response = client.ask()
    assert (response.status, response.text) == (500, "the model server of variant m broke off the connection twice")
    assert total(metrics, "m", "Invocation5XXErrors") == 1
    assert client.ask().text == "answer"


def test_a_server_that_breaks_off_twice_because_it_is_killed_is_waited_for(
    gateway: Gateway, backends: Backends, client: Client, start: Started
) -> None:
    broken = threading.Semaphore(0)

    def script(_: bytes) -> Reply:
        broken.release()
        raise HangUp

    backends.scripts["m"] = script
    fleet = start(backends.fleet("m"))
    gateway.route(Routes(fleet))
    backends.scripts["m"] = says("answer")
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(client.ask().text))
    asking.start()
    for _ in range(2):
        assert broken.acquire(timeout=30)
    backends.latest("m").kill()
    wait_for(lambda: _kept(fleet))
    asking.join()
    assert answers == ["answer"]


@pytest.mark.parametrize("limits", [Limits(model=0.3)])
def test_a_model_that_takes_too_long_is_given_up(
    gateway: Gateway, backends: Backends, client: Client, start: Started, limits: Limits
) -> None:
    release = threading.Event()
    backends.scripts["m"] = lambda _: (200, str(release.wait(30)).encode())
    gateway.route(Routes(start(backends.fleet("m"))))
    response = client.ask()
    release.set()
    assert (response.status, response.text) == (504, "variant m did not answer within 0.3 seconds")


@pytest.mark.parametrize("limits", [Limits(start=0.2)])
def test_nobody_waits_forever_for_models_that_do_not_come(
    gateway: Gateway, backends: Backends, client: Client, limits: Limits
) -> None:
    assert client.ask().status == 503
    gateway.route(Routes(backends.fleet("m")))
    response = client.ask()
    assert (response.status, response.text) == (503, "the model server of variant m is not running")


def test_no_request_fails_when_a_server_is_killed_under_load(
    gateway: Gateway, backends: Backends, start: Started
) -> None:
    fleet = start(backends.fleet("m"))
    gateway.route(Routes(fleet))
    with Load(gateway.port) as load:
        for _ in range(3):
            backends.latest("m").kill()
            wait_for(lambda: not backends.latest("m").is_alive())
            wait_for(lambda: _kept(fleet))
            load.wait_for_more()
    assert load.problems == []
    assert set(load.answers) == {(200, "m")}
    assert len(backends.made["m"]) == 4


def _kept(fleet: Fleet) -> bool:
    fleet.keep()
    return fleet.is_ready


def test_no_request_fails_when_fleets_are_switched_under_load(
    gateway: Gateway, backends: Backends, start: Started
) -> None:
    serving = start(backends.fleet("m0"))
    gateway.route(Routes(serving))
    with Load(gateway.port, clients=8) as load:
        for number in range(1, 5):
            green = start(backends.fleet(f"m{number}"))
            for share in (0.1, 0.5, 1.0):
                gateway.route(Routes(serving, green, share))
                load.wait_for_more()
            gateway.route(Routes(green))
            serving.retire(30).join()
            assert not backends.latest(f"m{number - 1}").is_alive()
            serving = green
            load.wait_for_more()
    assert load.problems == []
    assert set(load.answers) == {(200, f"m{number}") for number in range(5)}


def test_a_fleet_is_stopped_only_when_its_last_request_is_answered(
    gateway: Gateway, backends: Backends, start: Started
) -> None:
    arrived, release = threading.Event(), threading.Event()

    def script(_: bytes) -> Reply:
        arrived.set()
        release.wait(30)
        return 200, b"late"

    backends.scripts["old"] = script
    old = start(backends.fleet("old"))
    gateway.route(Routes(old))
    answers: list[str] = []
    with closing(Client(gateway.port)) as slow:
        asking = threading.Thread(target=lambda: answers.append(slow.ask().text))
        asking.start()
        assert arrived.wait(30)
        gateway.route(Routes(start(backends.fleet("new"))))
        retiring = old.retire(30)
        with closing(Client(gateway.port)) as fast:
            assert fast.ask().text == "new"
        assert retiring.is_alive()
        release.set()
        asking.join()
        retiring.join()
    assert answers == ["late"]


@pytest.mark.parametrize("trouble", ["raises", "breaks off", "speaks no HTTP", "ends early", "is dead", "hangs"])
def test_what_a_green_variant_cannot_answer_counts_as_its_error_and_is_answered_by_the_blue_one(
    gateway: Gateway, backends: Backends, client: Client, start: Started, metrics: Metrics, trouble: str
) -> None:
    release = threading.Event()
    backends.scripts["green"] = {
        "raises": says("broken", 500),
        "breaks off": failing(99, ""),
        "speaks no HTTP": failing(99, "", b"hello\r\n\r\n"),
        "ends early": failing(99, "", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0.5"),
        "is dead": says("never"),
        "hangs": lambda _: (200, str(release.wait(30)).encode()),
    }[trouble]
    green = start(backends.fleet("green"))
    gateway.route(Routes(start(backends.fleet("blue")), green, 1.0))
    if trouble == "is dead":
        backends.latest("green").kill()
    response = client.ask()
    release.set()
    assert (response.status, response.text) == (200, "blue")
    assert response.headers["x-Amzn-Invoked-Production-Variant"] == "blue"
    assert total(metrics, "green", "Invocation5XXErrors") == 1
    assert total(metrics, "blue", "Invocations") == 0


@pytest.mark.parametrize("blue_status", [400, 415])
def test_what_both_refuse_is_the_clients_mistake(
    gateway: Gateway, backends: Backends, client: Client, start: Started, metrics: Metrics, blue_status: int
) -> None:
    backends.scripts |= {"green": says("column amount is missing", 400), "blue": says("no", blue_status)}
    gateway.route(Routes(start(backends.fleet("blue")), start(backends.fleet("green")), 1.0))
    response = client.ask()
    assert (response.status, response.text) == (400, "column amount is missing")
    assert total(metrics, "green", "Invocation4XXErrors") == 1
    assert total(metrics, "green", "Invocation5XXErrors") == 0


def test_what_only_the_green_variant_refuses_is_its_error(
    gateway: Gateway, backends: Backends, client: Client, start: Started, metrics: Metrics
) -> None:
    backends.scripts["green"] = says("column new is missing", 400)
    gateway.route(Routes(start(backends.fleet("blue")), start(backends.fleet("green")), 1.0))
    response = client.ask()
    assert (response.status, response.text) == (200, "blue")
    assert total(metrics, "green", "Invocation4XXErrors") == 0
    assert total(metrics, "green", "Invocation5XXErrors") == 1


def test_latencies_are_told_apart_by_whose_they_are(
    gateway: Gateway, backends: Backends, client: Client, start: Started, metrics: Metrics
) -> None:
    pause = threading.Event()
    backends.scripts["m"] = lambda _: (200, str(pause.wait(0.2)).encode())
    gateway.route(Routes(start(backends.fleet("m"))))
    client.ask()
    assert 200_000 <= total(metrics, "m", "ModelLatency") < 2_000_000
    assert 0 < total(metrics, "m", "OverheadLatency") < 200_000
