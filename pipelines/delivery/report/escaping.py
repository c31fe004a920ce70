"""Text of others in Markdown and Mermaid: shown as it is, never acting as markup."""

import re
from collections.abc import Sequence

from pipelines.delivery.wording import one_line

_SAFE = re.compile(r"[^A-Za-z0-9 ]")
_LONGEST = 1_000


def code(text: object) -> str:
    """Return text as a code span, in which GitHub makes no links, mentions or markup, in table cells too."""
    line = _short(one_line(str(text)))
    if not line:
        return ""
    if "`" in line or "|" in line:
        return f"<code>{_entities(line)}</code>"
    return f"`{line}`"


def plain(text: str) -> str:
    """Return text as running text."""
    line = re.sub(r"[^\w .,;:'/²±−+=<>≤≥-]|_|[<>]", lambda match: f"&#{ord(match[0])};", one_line(text))
    # GitHub makes links of `www.` and of `://`, and mentions of what stands behind an @, even when it is an entity.
    return re.sub(r"(?<=[A-Za-z])([.])(?=[A-Za-z])|(:)(?=//)|(?<=&#64;)()", _apart, line)


def _apart(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};" if match[0] else "&#8203;"


def block(text: str) -> str:
    """Return text as a code block of one line, for commands that are copied."""
    return _fenced([one_line(text)], "sh")


def listing(lines: Sequence[str]) -> str:
    """Return lines, of a log for example, as a code block."""
    return _fenced([_short(one_line(line)) for line in lines], "text")


def _fenced(lines: Sequence[str], language: str) -> str:
    ticks = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, ticks + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def label(text: str) -> str:
    """Return text for a Mermaid label in quotes, in Mermaid's own entities."""
    return _SAFE.sub(lambda match: f"#{ord(match[0])};", _short(one_line(text), 60))


def _entities(line: str) -> str:
    return _SAFE.sub(lambda match: f"&#{ord(match[0])};", line)


def _short(line: str, longest: int = _LONGEST) -> str:
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
