"""The syntax of references: `Steps.Train.ModelArtifacts.S3ModelArtifacts`, and of the paths into JSON files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Path = tuple[str | int, ...]

ROOTS = ("Parameters", "Execution", "Steps", "PipelineExperimentConfig")
FUNCTIONS = frozenset({"Get", "Std:Join", "Std:JsonGet"})

# A key ends at the quote before its bracket: the SDK writes keys as they are, without escapes.
_SEGMENT = re.compile(
    r"""\.(?P<member>[^.\[\]'"*?@()]+)|\[(?P<index>[0-9]{1,9})\]|\[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]""", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed reference: its root, the first name after it, and the path below that.

    Member names and quoted keys are strings in the path, list positions are integers.
    """

    root: str
    name: str
    path: Path = ()

    def __str__(self) -> str:
        return self.root + _member(self.name) + "".join(_member(segment) for segment in self.path)


def _member(segment: str | int) -> str:
    if isinstance(segment, int):
        return f"[{segment}]"
    if _SEGMENT.fullmatch(f".{segment}") and "\n" not in segment:
        return f".{segment}"
    quote = "'" if "']" not in segment else '"'
    return f"[{quote}{segment}{quote}]"


@lru_cache(maxsize=8192)
def parse_reference(text: str) -> Reference:
    """Parse the string of a `Get`.

    Raises:
        ValueError: the text is no reference.
    """
    segments = _segments(f".{text}")
    if segments is None:
        raise ValueError(f"Invalid reference '{text[:200]}': expected Name(.Member | ['key'] | [0])*.")
    root, *rest = segments
    if root not in ROOTS:
        raise ValueError(f"Invalid reference '{text[:200]}': it must begin with one of {', '.join(ROOTS)}.")
    if not rest or not isinstance(rest[0], str):
        raise ValueError(f"Invalid reference '{text[:200]}': a name must follow '{root}.'.")
    return Reference(str(root), rest[0], tuple(rest[1:]))


@lru_cache(maxsize=1024)
def parse_json_path(text: str) -> Path:
    """Parse the `Path` of a JsonGet: dotted members, `['key']` and `[0]`, with or without a leading `$`.

    Raises:
        ValueError: the text is no such path.
    """
    path = text.removeprefix("$")
    segments = _segments(path if path.startswith((".", "[")) else f".{path}")
    if segments is None:
        raise ValueError(f"Invalid JSON path '{text[:200]}': use members, ['keys'] and [positions], like a.b[0].")
    return segments


def _segments(text: str) -> Path | None:
    segments: list[str | int] = []
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            return None
        index = match["index"]
        segments.append(int(index) if index else match["member"] or match["key"])
        position = match.end()
    return tuple(segments) or None


def expression_kind(value: dict[str, Any]) -> str | None:
    """Return which function an object is (`Get`, `Std:Join`, `Std:JsonGet`), or None for plain data."""
    if len(value) != 1:
        return None
    (key,) = value
    return key if key in FUNCTIONS else None


def find_references(value: Any) -> Iterator[Reference]:
    """Yield the references anywhere inside a JSON value, in document order.

    Raises:
        ValueError: a `Get` holds no reference.
    """
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(reversed(node))
        elif isinstance(node, dict):
            target = node.get("Get") if len(node) == 1 else None
            if isinstance(target, str):
                yield parse_reference(target)
            else:
                stack.extend(reversed(node.values()))
