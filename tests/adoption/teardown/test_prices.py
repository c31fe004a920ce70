"""Costs come from a table with its date and region; what is not in it is unknown, never nothing."""

import json
from datetime import date
from pathlib import Path

import pytest

from pipelines.adoption.teardown.inventory import Inventory
from pipelines.adoption.teardown.listing import listing
from pipelines.adoption.teardown.prices import ALARM, KEY, LOGS, OBJECTS, Prices, read_prices, size
from pipelines.adoption.teardown.things import Amount, Thing
from pipelines.delivery.deployment.plan import INSTANCE_TYPE
from pipelines.fraud import settings
from tests.adoption.init.copies import FRESH

PRICES = Prices("2026-01-02", "us-east-1", {"ml.m5.large": 84.0, "alarm": 0.1})


def lines(*things: Thing, prices: Prices | None = PRICES) -> list[str]:
    return list(listing(Inventory(things, ()), prices))


def test_the_table_has_a_date_and_all_that_the_repository_names() -> None:
    prices = read_prices()
    assert date.fromisoformat(prices.date) <= date.today()
    # The first one is a team's choice, whose price may not be known.
    instances = {INSTANCE_TYPE, FRESH["hosting_instance_type"], *settings.INFERENCE_INSTANCES[1:]}
    needed = {*instances, ALARM, KEY, LOGS, OBJECTS}
    assert needed <= prices.by_the_month.keys()
    assert all(price > 0 for price in prices.by_the_month.values())


def test_instances_are_priced_by_the_hour_and_the_rest_by_the_month(tmp_path: Path) -> None:
    table = {"date": "2026-01-02", "region": "r", "hours_a_month": 730, "by_the_hour": {"ml.m5.large": 0.115}}
    (tmp_path / "prices.json").write_text(json.dumps({**table, "by_the_month": {"alarm": 0.1}}))
    prices = read_prices(tmp_path / "prices.json")
    assert prices.by_the_month == {"ml.m5.large": pytest.approx(83.95), "alarm": 0.1}


def test_the_cost_is_that_of_all_instances() -> None:
    assert PRICES.cost([Amount("ml.m5.large", 2), Amount("alarm", 1)]) == pytest.approx(168.1)


def test_one_unknown_price_makes_the_cost_unknown() -> None:
    assert PRICES.cost([Amount("ml.m5.large", 2), Amount("ml.new.large", 1)]) is None


def test_each_thing_has_its_cost_and_the_sum_tells_what_is_not_in_it() -> None:
    table = lines(
        Thing("endpoint", "a", "InService", (Amount("ml.m5.large", 2),)),
        Thing("endpoint", "b", "InService", (Amount("ml.new.large", 1),)),
        Thing("alarm", "c", "OK", (Amount("alarm", 1),)),
        Thing("pipeline", "d"),
    )
    assert table == [
        "kind      name  state                        USD a month",
        "endpoint  a     InService, 2 x ml.m5.large        168.00",
        "endpoint  b     InService, 1 x ml.new.large      unknown",
        "alarm     c     OK                                  0.10",
        "pipeline  d",
        "together 168.10 USD a month, and 1 of unknown cost, at the prices of us-east-1 of 2026-01-02",
    ]


def test_where_nothing_is_paid_for_there_are_no_costs() -> None:
    assert lines(Thing("endpoint", "a", "InService"), prices=None) == [
        "kind      name  state",
        "endpoint  a     InService",
    ]


def test_where_nothing_was_found_there_is_no_table() -> None:
    assert lines() == []


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (3_400_000, "3.2 MB"), (5 * 2**40, "5.0 TB")]
)
def test_sizes_are_said_as_people_do(count: int, said: str) -> None:
    assert size(count) == said
