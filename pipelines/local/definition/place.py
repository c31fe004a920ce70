"""Where in a definition something stands, and the refusal of what stands there."""

import difflib
import re
from collections.abc import Iterable

# A linked list from the inside out: walking a definition then costs one small tuple a node, and only a refusal
# pays for the text.
Place = tuple["Place", str | int] | None


DEEPEST = 100
LONGEST_MESSAGE = 1000

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def check_depth(place: Place) -> None:
    """Refuse a place that is nested deeper than recursive walks can stand."""
    chain: list[Place] = []
    outer = place
    while outer is not None:
        chain.append(outer)
        outer = outer[0]
    if len(chain) > DEEPEST:
        raise Refusal(f"Nested too deeply; at most {DEEPEST} levels are allowed.", chain[-4])


def path_of(place: Place) -> str:
    """Write a place as a JSON path, such as `Steps[3].Arguments.HyperParameters['batch-size']`."""
    parts: list[str] = []
    while place is not None:
        place, key = place
        parts.append(_segment(key))
    return "".join(reversed(parts)).removeprefix(".") or "the top level"


def _segment(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.isidentifier() else f"[{key!r}]"


def one_line(text: str) -> str:
    """Write control characters as escapes and cut what is very long: names may come from anywhere."""
    plain = _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)
    return plain if len(plain) <= LONGEST_MESSAGE else f"{plain[:LONGEST_MESSAGE]}..."


def did_you_mean(name: object, choices: Iterable[str]) -> str:
    """Name the nearest choice, or all of them when they are few, or nothing."""
    known = list(choices)
    near = difflib.get_close_matches(str(name)[:256], known, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"there are: {', '.join(known)}" if 0 < len(known) <= 12 else ""


class Refusal(Exception):
    """A part of a definition that is not allowed; the parser makes it a DefinitionError.

    `reason` is one sentence with its full stop, `hint` says what is allowed, and `step` is filled in by the parser
    of the step around the place.
    """

    def __init__(self, reason: str, place: Place, *, hint: str = "", step: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place
        self.hint = hint
        self.step = step

    def __str__(self) -> str:
        where = f"at {path_of(self.place)}"
        if self.step:
            where = f"step '{self.step}', {where}"
        return one_line(f"{self.reason} ({where}{'; ' + self.hint if self.hint else ''})")
