"""What a person reads before and after: each thing with its cost a month, their sum, and what stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.adoption.teardown.inventory import Inventory
from pipelines.adoption.teardown.prices import Prices
from pipelines.adoption.teardown.things import Failure, Thing
from pipelines.delivery.wording import one_line

_GAP = "  "
_COST = "USD a month"
UNKNOWN = "unknown"


def listing(inventory: Inventory, prices: Prices | None) -> Iterator[str]:
    """Yield a table of what was found; without prices, where nothing is paid for, it has no costs."""
    rows = [_row(thing, prices) for thing in inventory.things]
    if not rows:
        return
    head = ["kind", "name", "state", *([_COST] if prices else [])]
    yield from _aligned([head, *rows])
    if prices:
        yield from _sum(inventory.things, prices)


def failed(failures: Sequence[Failure]) -> Iterator[str]:
    """Yield a line for each failure."""
    for failure in failures:
        yield f"failed: {failure.key}: {one_line(failure.reason)}"


def _row(thing: Thing, prices: Prices | None) -> list[str]:
    cells = [thing.kind, thing.name, _state(thing)]
    return [*cells, _cost(thing, prices)] if prices else cells


def _state(thing: Thing) -> str:
    instances = [f"{each.quantity:g} x {each.unit}" for each in thing.amounts if thing.kind == "endpoint"]
    return one_line(", ".join(part for part in (thing.note, *instances) if part))


def _cost(thing: Thing, prices: Prices) -> str:
    if not thing.is_paid_for:
        return ""
    cost = prices.cost(thing.amounts)
    return UNKNOWN if cost is None else f"{cost:.2f}"


def _sum(things: Sequence[Thing], prices: Prices) -> Iterator[str]:
    costs = [prices.cost(thing.amounts) for thing in things if thing.is_paid_for]
    total = sum(cost for cost in costs if cost is not None)
    more = f", and {costs.count(None)} of unknown cost" if None in costs else ""
    yield f"together {total:.2f} USD a month{more}, at the prices of {prices.region} of {prices.date}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            text.rjust(width) if number == 3 else text.ljust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield _GAP.join(cells).rstrip()
