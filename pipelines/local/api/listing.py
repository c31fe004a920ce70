"""What the List operations share: filters by time and name, order, and pages."""

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.local.database import Document
from pipelines.local.errors import ValidationError

DEFAULT_PAGE = 100
LONGEST_TOKEN = 18


def within_times(items: list[Document], request: Document, *, key: str = "CreationTime") -> list[Document]:
    """Keep what was created after and before the request's times, if it gives any."""
    after = request.get("CreatedAfter", request.get("CreationTimeAfter"))
    before = request.get("CreatedBefore", request.get("CreationTimeBefore"))
    return [item for item in items if (after is None or item[key] > after) and (before is None or item[key] < before)]


def containing(items: list[Document], request: Document, key: str) -> list[Document]:
    """Keep what has the request's NameContains in its name, if it gives one."""
    part = request.get("NameContains", "").lower()
    return [item for item in items if part in item[key].lower()]


def ordered(
    items: list[Document], request: Document, keys: Mapping[str, str], *, default_order: str = "Descending"
) -> list[Document]:
    """Sort by the member that `keys` has for the request's SortBy; the first of them is the default."""
    key = keys[request.get("SortBy", next(iter(keys)))]
    return sorted(items, key=lambda item: item[key], reverse=request.get("SortOrder", default_order) == "Descending")


def page(name: str, items: list[Any], request: Document) -> Document:
    """Return the response of a List operation: the requested page under a name, and the token of the next.

    Raises:
        ValidationError: the request's NextToken is none that this machine gave.
    """
    return lazy_page(name, lambda start, count: items[start : start + count], request)


def lazy_page(name: str, read: Callable[[int, int], list[Any]], request: Document) -> Document:
    """Return such a response from items that are read from a place on, so many at once.

    Raises:
        ValidationError: the request's NextToken is none that this machine gave.
    """
    token = request.get("NextToken", "0")
    # As wide as SQLite's integers at most.
    if not (token.isascii() and token.isdecimal() and len(token) <= LONGEST_TOKEN):
        raise ValidationError(f"NextToken {token!r} is not valid: give the one of the previous response, or none.")
    start, size = int(token), request.get("MaxResults", DEFAULT_PAGE)
    found = read(start, size + 1)
    response: Document = {name: found[:size]}
    if len(found) > size:
        response["NextToken"] = str(start + size)
    return response


def pick(document: Document, *names: str) -> Document:
    """Return the named members that a document has."""
    return {name: document[name] for name in names if name in document}
