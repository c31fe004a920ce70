"""What a check found: all is well, a problem and what mends it, or that nobody could look, or was asked to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from botocore.parsers import ResponseParserError

from pipelines.delivery.wording import one_line

# What reading an answer fails with that is no XML or JSON, or has not what the service always tells.
UNREADABLE = (ResponseParserError, AttributeError, LookupError, TypeError, ValueError)


class Verdict(StrEnum):
    """What is said of a thing; only what was seen to be well is OK."""

    OK = "OK"
    PROBLEM = "PROBLEM"
    UNKNOWN = "could not check"
    LEFT_OUT = "did not check"


@dataclass(frozen=True)
class Finding:
    """A verdict on one thing, and the steps that lead on, each a command or a place to look at."""

    name: str
    verdict: Verdict
    says: str
    steps: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the finding as it is printed."""
        yield f"{self.verdict}: {self.name}: {self.says}"
        for step in self.steps:
            yield f"  {'fix' if self.verdict is Verdict.PROBLEM else 'next'}: {step}"


def ok(name: str, says: str) -> Finding:
    """A thing that is as it should be."""
    return Finding(name, Verdict.OK, says)


def problem(name: str, says: str, *fixes: str) -> Finding:
    """A thing that is not as it should be."""
    return Finding(name, Verdict.PROBLEM, says, fixes)


def left_out(name: str, why: str, *steps: str) -> Finding:
    """A thing that nobody wished to be looked at, for what that takes was not given."""
    return Finding(name, Verdict.LEFT_OUT, why, steps)


def unreadable(error: Exception) -> str:
    """Say in a line why an answer could not be read."""
    return f"an answer cannot be read: {type(error).__name__}: {one_line(str(error))}"


def unknown(name: str, why: str, *steps: str) -> Finding:
    """A thing that was to be looked at, in vain."""
    return Finding(name, Verdict.UNKNOWN, why, steps)
