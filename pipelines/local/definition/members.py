"""The members of a JSON object, read one by one with their checks."""

import re
from collections.abc import Collection
from typing import Any

from pipelines.local.definition.place import Place, Refusal, did_you_mean

OBJECT_EXPECTED = "Expecting start of Json Object."
ARRAY_EXPECTED = "Expecting start of Json Array."


def json_type(value: object) -> str:
    """Name the JSON type of a value, for messages."""
    if value is None:
        return "null"
    names = {str: "a string", bool: "a boolean", int: "an integer", float: "a number", dict: "an object"}
    return names.get(type(value), "an array")


class Members:
    """A JSON object whose members are known; null counts as absent."""

    def __init__(self, value: object, place: Place, known: Collection[str], *, kind: str = "member") -> None:
        if not isinstance(value, dict):
            raise Refusal(OBJECT_EXPECTED, place, hint=f"found {json_type(value)}")
        for name in value:
            if name not in known:
                raise Refusal(f"Unknown {kind} '{name}'.", (place, name), hint=did_you_mean(name, known))
        self.value: dict[str, Any] = value
        self.place = place

    def at(self, name: str) -> Place:
        """Return the place of a member."""
        return (self.place, name)

    def any(self, name: str) -> Any:
        """Return a member that must be there."""
        if self.value.get(name) is None:
            raise Refusal(f"Missing member '{name}'.", self.place)
        return self.value[name]

    def text(self, name: str, *, longest: int | None = None) -> str | None:
        """Return a string, or None when it is absent."""
        value = self.value.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise Refusal(f"Expecting a string for '{name}'.", self.at(name), hint=f"found {json_type(value)}")
        if longest is not None and len(value) > longest:
            raise Refusal(f"'{name}' has {len(value)} characters; at most {longest} are allowed.", self.at(name))
        return value

    def name(self, name: str, pattern: re.Pattern[str]) -> str:
        """Return a string that must be there and match."""
        self.any(name)
        value = self.text(name)
        if value is None or not pattern.fullmatch(value):
            raise Refusal(f"Invalid {name} {value!r:.300}.", self.at(name), hint=f"it must match {pattern.pattern}")
        return value

    def choice(self, name: str, choices: Collection[str]) -> str:
        """Return a string that must be there and be one of several."""
        self.any(name)
        value = self.text(name)
        if value is None or value not in choices:
            hint = f"there are: {', '.join(choices)}"
            raise Refusal(f"Unknown {name} {value!r:.300}.", self.at(name), hint=hint)
        return value

    def list(self, name: str) -> list[Any]:
        """Return an array, empty when it is absent."""
        value = self.value.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise Refusal(ARRAY_EXPECTED, self.at(name), hint=f"'{name}' is {json_type(value)}")
        return value

    def object(self, name: str) -> dict[str, Any] | None:
        """Return an object with any members, or None when it is absent."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, dict):
            raise Refusal(OBJECT_EXPECTED, self.at(name), hint=f"'{name}' is {json_type(value)}")
        return value

    def number(self, name: str, *, least: float, most: float, whole: bool = False) -> float | None:
        """Return a number within limits, or None when it is absent."""
        value = self.value.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            expected = "an integer" if whole else "a number"
            raise Refusal(f"Expecting {expected} for '{name}'.", self.at(name), hint=f"found {json_type(value)}")
        if not least <= value <= most:
            raise Refusal(f"'{name}' is {value!s:.40}; it must be from {least} to {most}.", self.at(name))
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean, false when it is absent."""
        value = self.value.get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise Refusal(f"Expecting true or false for '{name}'.", self.at(name), hint=f"found {json_type(value)}")
        return value
