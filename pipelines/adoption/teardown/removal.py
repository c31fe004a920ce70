"""The removal of what was found: one failure costs what depends on it, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.adoption.teardown.inventory import Inventory
from pipelines.adoption.teardown.things import Failure, Key, Thing
from pipelines.delivery.aws_errors import explain
from pipelines.delivery.deployment.found import found
from pipelines.delivery.deployment.journal import Journal
from pipelines.delivery.errors import DeliveryError, InterruptionError

# What says that somebody else was faster.
_GONE = frozenset({"NoSuchBucket", "ResourceNotFound", "ResourceNotFoundException", "NotFoundException"})


def remove(inventory: Inventory, journal: Journal, go_on: Callable[[], None] = lambda: None) -> list[Failure]:
    """Remove what can be removed, in its order, and return what could not be found or removed.

    `go_on` is called before each removal, and ends them by raising.
    """
    failures = list(inventory.failures)
    for thing in inventory.removable:
        go_on()
        failure = _keep(thing, failures) or _delete(thing)
        if failure:
            failures.append(failure)
        else:
            journal.change(f"deleted {thing.kind} {thing.name}")
    return failures


def _keep(thing: Thing, failures: list[Failure]) -> Failure | None:
    """Return why a thing is kept: something that it leads to is there still, or could not be looked for."""
    for failure in failures:
        exact, whole = failure.key, Key(failure.key.kind, "")
        nothing_seen = not exact.name and exact.kind in {key.kind for key in thing.leads_to}
        if {exact, whole} & thing.leads_to or nothing_seen:
            return Failure(thing.key, f"kept, because of {exact}")
    return None


def _delete(thing: Thing) -> Failure | None:
    assert thing.delete is not None
    try:
        found(thing.delete)
    except InterruptionError:
        raise
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["Error"].get("Code") in _GONE:
            return None
        return Failure(thing.key, explain(error) or str(error))
    except DeliveryError as error:
        return Failure(thing.key, str(error))
    return None
