"""Whose turn it is."""

from collections import Counter

import pytest

from pipelines.local.errors import ServiceError
from pipelines.local.hosting.routes import Routes
from tests.local.hosting.backend import Backends


def turns(routes: Routes, count: int, name: str | None = None) -> list[str]:
    return [routes.choose(name).name for _ in range(count)]


def test_variants_take_turns_by_their_weights(backends: Backends) -> None:
    routes = Routes(backends.fleet("a", "b", "c", weights=(5, 3, 2)))
    for _ in range(10):
        assert Counter(turns(routes, 10)) == {"a": 5, "b": 3, "c": 2}


def test_a_variant_without_weight_is_asked_only_by_its_name(backends: Backends) -> None:
    routes = Routes(backends.fleet("a", "b", weights=(1, 0)))
    assert set(turns(routes, 100)) == {"a"}
    assert turns(routes, 3, "b") == ["b", "b", "b"]


def test_variants_without_any_weight_share_equally(backends: Backends) -> None:
    assert Counter(turns(Routes(backends.fleet("a", "b", weights=(0, 0))), 100)) == {"a": 50, "b": 50}


@pytest.mark.parametrize("percent", [1, 10, 33, 50, 99])
def test_a_green_fleet_gets_its_share_evenly(backends: Backends, percent: int) -> None:
    routes = Routes(backends.fleet("blue"), backends.fleet("green"), percent / 100)
    seen = turns(routes, 1000)
    assert seen.count("green") == pytest.approx(10 * percent, abs=1)
    assert seen[:200].count("green") == pytest.approx(2 * percent, abs=1)


def test_a_green_fleet_without_a_share_is_not_asked(backends: Backends) -> None:
    assert set(turns(Routes(backends.fleet("blue"), backends.fleet("green"), 0.0), 100)) == {"blue"}


def test_a_variant_that_is_asked_for_is_that_of_both_fleets_in_turn(backends: Backends) -> None:
    blue, green = backends.fleet("a", "b"), backends.fleet("a", "b")
    routes = Routes(blue, green, 0.25)
    chosen = [routes.choose("a") for _ in range(100)]
    assert chosen.count(green.variants[0]) == 25
    assert chosen.count(blue.variants[0]) == 75


def test_a_variant_that_is_not_there_is_refused_with_those_that_are(backends: Backends) -> None:
    with pytest.raises(ServiceError, match=r"Variant c not found; this endpoint has a, b\."):
        Routes(backends.fleet("a", "b")).choose("c")


def test_the_serving_fleets_variant_of_the_same_name_backs_a_green_one(backends: Backends) -> None:
    blue, green = backends.fleet("a", "b"), backends.fleet("b", "new")
    routes = Routes(blue, green, 1.0)
    assert routes.backup(green.variants[0]) is blue.variants[1]
    assert routes.backup(green.variants[1]) is blue.variants[0]
    assert routes.backup(blue.variants[0]) is None


def test_both_fleets_are_held_while_a_request_may_need_them(backends: Backends) -> None:
    blue, green = backends.fleet("blue"), backends.fleet("green")
    routes = Routes(blue, green, 0.5)
    with routes.held(), routes.held():
        assert (blue.in_flight, green.in_flight) == (2, 2)
    assert (blue.in_flight, green.in_flight) == (0, 0)
