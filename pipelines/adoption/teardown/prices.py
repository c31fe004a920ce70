"""What things cost a month, from a table with its date; what is not in it is unknown, which is not nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.adoption.teardown.things import Amount

GIGABYTE = 2**30
ALARM, KEY, LOGS, OBJECTS = "alarm", "key", "log gigabyte", "object gigabyte"
_TABLE = Path(__file__).with_name("prices.json")


@dataclass(frozen=True)
class Prices:
    """A price table: US dollars a month for a unit, in one region, on one day."""

    date: str
    region: str
    by_the_month: Mapping[str, float]

    def cost(self, amounts: Iterable[Amount]) -> float | None:
        """Return what the amounts cost a month; none where the price of one of them is unknown."""
        costs = [self._cost(amount) for amount in amounts]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    def _cost(self, amount: Amount) -> float | None:
        price = self.by_the_month.get(amount.unit)
        return None if price is None else price * amount.quantity


def read_prices(path: Path = _TABLE) -> Prices:
    """Return the table; instances are priced there by the hour."""
    table = json.loads(path.read_text(encoding="utf-8"))
    hours = table["hours_a_month"]
    instances = {name: price * hours for name, price in table["by_the_hour"].items()}
    return Prices(table["date"], table["region"], {**instances, **table["by_the_month"]})


def size(count: int) -> str:
    """Return a number of bytes as people say it: `3.2 MB`."""
    amount, units = float(count), ["B", "KB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"
