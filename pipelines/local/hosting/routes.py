"""Which variant answers a request: by the weights of the variants, and by how far a deployment has come."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pipelines.local.errors import ServiceError
from pipelines.local.hosting.fleet import Fleet
from pipelines.local.hosting.variant import Variant


@dataclass
class Target:
    """A variant, its share of the requests, and how much of that it has not had yet."""

    variant: Variant
    share: float
    credit: float = 0.0


class Rotation:
    """Takes turns among targets so that at any time each had its share of the requests, as evenly as can be."""

    def __init__(self, targets: Sequence[Target]) -> None:
        whole = sum(target.share for target in targets)
        # Where nobody has a share, all have the same.
        self._targets = [Target(it.variant, it.share / whole if whole else 1 / len(targets)) for it in targets]

    def next(self) -> Variant:
        """Return whose turn it is."""
        for target in self._targets:
            target.credit += target.share
        chosen = max(self._targets, key=lambda target: target.credit)
        chosen.credit -= 1
        return chosen.variant


class Routes:
    """Where requests go: to a serving fleet, and, while a deployment goes on, a share of them to a green one.

    `patience` is the seconds that an alarm gives the green one for an answer. For the gateway's thread alone.
    """

    def __init__(
        self, serving: Fleet, green: Fleet | None = None, share: float = 0.0, patience: float | None = None
    ) -> None:
        self._fleets = (serving, green) if green else (serving,)
        self._green = green
        self.patience = patience
        targets = [*_targets(serving, 1 - share), *(_targets(green, share) if green and share else ())]
        self._all = Rotation(targets)
        names = {target.variant.name for target in targets}
        self._by_name = {name: Rotation([it for it in targets if it.variant.name == name]) for name in names}
        self._serving = {variant.name: variant for variant in serving.variants}
        self._first = serving.variants[0]

    @property
    def is_ready(self) -> bool:
        """Whether every server of the serving fleet answers."""
        return self._fleets[0].is_ready

    @property
    def lasting_failure(self) -> str | None:
        """Why the serving fleet cannot be had."""
        return self._fleets[0].lasting_failure

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the servers of these routes while a request may need them."""
        for fleet in self._fleets:
            fleet.in_flight += 1
        try:
            yield
        finally:
            for fleet in self._fleets:
                fleet.in_flight -= 1

    def choose(self, name: str | None = None) -> Variant:
        """Return the variant for the next request, or for one that asks for a variant by its name.

        Raises:
            ServiceError: there is no such variant.
        """
        if name is None:
            return self._all.next()
        if name not in self._by_name:
            allowed = ", ".join(sorted(self._by_name))
            raise ServiceError("ValidationError", f"Variant {name[:100]} not found; this endpoint has {allowed}.")
        return self._by_name[name].next()

    def backup(self, variant: Variant) -> Variant | None:
        """Return who answers in the place of a variant of the green fleet."""
        if self._green is None or variant not in self._green.variants:
            return None
        return self._serving.get(variant.name, self._first)


def _targets(fleet: Fleet, share: float) -> list[Target]:
    whole = sum(variant.weight for variant in fleet.variants)
    count = len(fleet.variants)
    return [Target(it, share * (it.weight / whole if whole else 1 / count)) for it in fleet.variants]
