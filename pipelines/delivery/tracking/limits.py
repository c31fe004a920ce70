"""What MLflow takes: names, texts and how much at once."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from pipelines.delivery.wording import shortened

Value = TypeVar("Value")
Entry = TypeVar("Entry", bound=Iterable[tuple[str, object]])

# A name is a path to MLflow, too: it may be neither empty nor lead upwards.
_FOREIGN = re.compile(r"^\.+|^$|[^\w.\- :]")
_LONGEST_NAME, _LONGEST_VALUE = 250, 5_000
_BATCH, _BATCH_BYTES = 100, 1_000_000


def named(entries: Mapping[str, Value]) -> dict[str, Value]:
    """Return entries by names that MLflow takes; of those that would have one name, the later ones get a number."""
    taken: dict[str, Value] = {}
    for name, value in entries.items():
        clean = free = _FOREIGN.sub("_", name)[:_LONGEST_NAME]
        number = 1
        while free in taken:
            number += 1
            end = f"_{number}"
            free = clean[: _LONGEST_NAME - len(end)] + end
        taken[free] = value
    return taken


def accepted(text: str) -> str:
    """Return a value that MLflow takes: not too long, and of letters that there are."""
    return shortened(text.encode(errors="replace").decode(), _LONGEST_VALUE)


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield what is to be told in requests of the number and the bytes that MLflow takes."""
    batch: list[Entry] = []
    size = 0
    for each in entries:
        own = len(json.dumps(dict(each)))
        if batch and (len(batch) == _BATCH or size + own > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += own
    if batch:
        yield batch
