"""One thing that a project made: what it is called, what it costs, and how it is removed or who else removes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Key(NamedTuple):
    """A thing's kind and name, by which others refer to it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" if self.name else f"looking for {self.kind}"


@dataclass(frozen=True)
class Amount:
    """Something that is paid for by the month: a unit of the price table and how much of it."""

    unit: str
    quantity: float


@dataclass(frozen=True)
class Thing:
    """A thing that was found.

    What has no `delete` stays, and `note` says why. Whatever is in `leads_to` could not be found again without it, or
    would be harmed, so it is removed only when those are gone; a kind stands there with an empty name for all of it.
    """

    kind: str
    name: str
    note: str = ""
    amounts: tuple[Amount, ...] = ()
    delete: Callable[[], object] | None = None
    leads_to: frozenset[Key] = frozenset()

    @property
    def key(self) -> Key:
        """What others call it by."""
        return Key(self.kind, self.name)

    @property
    def is_paid_for(self) -> bool:
        """Whether it costs something as long as it is there."""
        return bool(self.amounts)


@dataclass(frozen=True)
class Failure:
    """What could not be found or removed, and why."""

    key: Key
    reason: str
