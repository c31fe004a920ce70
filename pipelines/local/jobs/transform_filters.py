"""The JSONPath expressions of a transform job's DataProcessing: the part of JSONPath that the service has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# From the service's own refusal of other characters, an underscore among them.
OPERATORS = ("$", "[", "]", "*", ".", " ", ",", ":", "-", "'")
SEGMENT = re.compile(r"\.(?P<member>[A-Za-z0-9-]+|\*)|\.?\[(?P<inside>[^\[\]]+)\]")
NAME = re.compile(r"\s*'(?P<name>[^',]+)'\s*")
INDEX = re.compile(r"\s*(?P<index>-?\d+)\s*")
RANGE = re.compile(r"\s*(?P<start>-?\d+)?\s*:\s*(?P<end>-?\d+)?\s*")


class NotThere(ValueError):
    """A document that has not what an expression selects."""


@dataclass(frozen=True)
class Selector:
    """One part of an expression: members by name, elements by position, or all of either where it has none."""

    names: tuple[str, ...] = ()
    positions: tuple[int | slice, ...] = ()

    @cached_property
    def is_definite(self) -> bool:
        """Whether it selects one value, and not a list of them."""
        return bool(self.names) or (len(self.positions) == 1 and isinstance(self.positions[0], int))

    def select(self, value: Any) -> list[Any]:
        """Return what it selects of a value.

        Raises:
            NotThere: a member or an element is missing.
        """
        if self.names:
            return [self._members(value)]
        if self.positions:
            return self._elements(value)
        if isinstance(value, dict | list):
            return list(value.values() if isinstance(value, dict) else value)
        raise NotThere("'*' selects nothing of a single value")

    def _members(self, value: Any) -> Any:
        members = value if isinstance(value, dict) else {}
        for name in self.names:
            if name not in members:
                raise NotThere(f"there is no attribute '{name}'")
        return members[self.names[0]] if len(self.names) == 1 else {name: members[name] for name in self.names}

    def _elements(self, value: Any) -> list[Any]:
        elements = value if isinstance(value, list) else []
        found: list[Any] = []
        for position in self.positions:
            some = elements[position] if isinstance(position, slice) else elements[position : position + 1 or None]
            if not some:
                raise NotThere(f"there is no element {_written(position)} among {len(elements)}")
            found += some
        return found


@dataclass(frozen=True)
class Filter:
    """A parsed expression."""

    text: str
    selectors: Sequence[Selector] = ()

    @property
    def selects_all(self) -> bool:
        """Whether it leaves every document as it is."""
        return not self.selectors

    @cached_property
    def is_definite(self) -> bool:
        """Whether it selects one value, and not a list of them."""
        return all(selector.is_definite for selector in self.selectors)

    @property
    def is_by_position(self) -> bool:
        """Whether it can be applied to a row of a CSV."""
        return len(self.selectors) <= 1 and not any(selector.names for selector in self.selectors)

    def select(self, document: Any) -> Any:
        """Return the part of a document: a value, or a list where the expression can select several.

        Raises:
            NotThere: the document has no such part.
        """
        values = [document]
        for selector in self.selectors:
            values = [part for value in values for part in selector.select(value)]
        return values[0] if self.is_definite else values


def parse_filter(text: str, content_type: str) -> Filter:
    """Parse an expression; the content type stands in the service's message.

    Raises:
        ValueError: the text is no expression that the service has.
    """
    for letter in text:
        if not (letter.isascii() and letter.isalnum()) and letter not in OPERATORS:
            supported = f'Supported operators for "{content_type}" are {list(OPERATORS)}'
            raise ValueError(f'Unexpected "{letter}" in JsonPath. {supported}')
    if not text.startswith("$"):
        raise ValueError("A JsonPath begins with '$'")
    selectors, position = [], 1
    while position < len(text):
        match = SEGMENT.match(text, position)
        if match is None:
            raise ValueError(f"Unexpected '{text[position:]}' in JsonPath; write .name, ['name'], [0], [1:] or [*]")
        selectors.append(_inside(match["inside"]) if match["inside"] else _member(match["member"]))
        position = match.end()
    return Filter(text, tuple(selectors))


def _member(text: str) -> Selector:
    return Selector() if text == "*" else Selector(names=(text,))


def _inside(text: str) -> Selector:
    parts = text.split(",")
    if text.strip() == "*":
        return Selector()
    if all(map(NAME.fullmatch, parts)):
        return Selector(names=tuple(part.strip().strip("'") for part in parts))
    positions = [_position(part) for part in parts]
    if sum(isinstance(position, slice) for position in positions) > 1:
        raise ValueError(f"Only a single range of the format [1:5] is supported, and [{text}] has several")
    return Selector(positions=tuple(positions))


def _position(text: str) -> int | slice:
    index, span = INDEX.fullmatch(text), RANGE.fullmatch(text)
    if index:
        return int(index["index"])
    if span:
        # The service's guide has the end both in and out of a range; JSONPath has it out.
        return slice(*(int(end) if end else None for end in (span["start"], span["end"])))
    raise ValueError(f"Unexpected '{text}' in JsonPath; write names in quotes, numbers, or a range such as 1:5")


def _written(position: int | slice) -> str:
    if isinstance(position, int):
        return f"[{position}]"
    return f"[{'' if position.start is None else position.start}:{'' if position.stop is None else position.stop}]"
