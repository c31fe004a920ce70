"""A variant's server: started, started again, and ended, whatever it does meanwhile."""

import threading
from typing import Any

import pytest

from pipelines.local.hosting import variant as module
from pipelines.local.hosting.variant import Variant
from tests.local.containers.processes import wait_for
from tests.local.hosting.backend import Backend, Backends, config


def of(backends: Backends, model: str = "m") -> Variant:
    return Variant(config("c", model)["ProductionVariants"][0], backends.serve)


def keep_until_ready(variant: Variant) -> None:
    def is_ready() -> bool:
        variant.keep()
        return variant.socket is not None

    wait_for(is_ready)


def test_one_server_is_started_however_often_it_is_kept(backends: Backends) -> None:
    variant = of(backends)
    for _ in range(50):
        variant.keep()
    keep_until_ready(variant)
    assert len(backends.made["m"]) == 1
    assert variant.socket == backends.latest("m").socket


def test_a_dead_server_makes_room_for_another(backends: Backends) -> None:
    variant = of(backends)
    keep_until_ready(variant)
    first = backends.latest("m")
    first.kill()
    variant.keep()
    assert variant.socket is None
    keep_until_ready(variant)
    assert variant.socket == backends.latest("m").socket != first.socket
    assert not first.socket.parent.exists()


def test_a_server_that_cannot_start_is_tried_again_less_and_less_eagerly(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.001)
    backends.problems["m"] = "no model"
    variant = of(backends)
    variant.keep()
    wait_for(lambda: variant.failure == "no model")
    pauses = []
    for attempts in range(2, 6):
        pauses.append(variant._pause)
        wait_for(lambda: variant.keep() or len(backends.made["m"]) >= attempts)  # type: ignore[func-returns-value]  # noqa: B023 called at once
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]
    del backends.problems["m"]
    keep_until_ready(variant)
    assert variant.failure is None


def test_only_what_fails_twice_in_a_row_is_a_lasting_failure(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.001)
    backends.problems["m"] = "no model"
    variant = of(backends)
    variant.keep()
    wait_for(lambda: variant.failure == "no model")
    assert variant.lasting_failure is None
    wait_for(lambda: variant.keep() or variant.lasting_failure is not None)  # type: ignore[func-returns-value]
    assert variant.lasting_failure == "there is no model server for variant m: no model"
    del backends.problems["m"]
    keep_until_ready(variant)
    assert variant.lasting_failure is None


def test_an_error_of_our_own_is_a_reason_too() -> None:
    def serve(_: dict[str, Any]) -> Backend:
        raise KeyError("ModelName")

    variant = Variant(config("c", "m")["ProductionVariants"][0], serve)
    variant.keep()
    wait_for(lambda: variant.failure == "'ModelName'")


class Slow(Backend):
    """A server that is long in starting, and gives it up when it is stopped."""

    def __init__(self) -> None:
        super().__init__(lambda _: (200, b""), "it was stopped")
        self.begun, self.stopped = threading.Event(), threading.Event()

    def start(self) -> None:
        self.begun.set()
        self.stopped.wait(30)
        super().start()

    def stop(self) -> None:
        self.stopped.set()
        super().stop()


def test_a_server_that_is_being_started_is_ended_without_waiting_for_it() -> None:
    slow = Slow()
    variant = Variant(config("c", "m")["ProductionVariants"][0], lambda _: slow)
    variant.keep()
    assert slow.begun.wait(30)
    variant.stop()
    assert (variant.socket, variant.failure) == (None, "it was stopped")
    variant.keep()
    assert variant.socket is None


def test_what_was_stopped_is_not_started(backends: Backends) -> None:
    variant = of(backends)
    variant.stop()
    variant.keep()
    assert backends.made == {}
