"""What a served model gets and gives: a request's body, an answer, a refusal. Standalone: `serving.py` imports it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

JSON, CSV, ANY = "application/json", "text/csv", "*/*"
BAD_REQUEST, NOT_ACCEPTABLE, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, SERVER_ERROR = 400, 406, 413, 415, 500
MOST_CHARACTERS = 1000


@dataclass(frozen=True)
class Question:
    """The body of a request, the media type that it says it has, and the one that the answer should have."""

    body: bytes
    content_type: str
    accept: str


@dataclass(frozen=True)
class Answer:
    """The body of a response, its media type and its HTTP status."""

    body: bytes
    content_type: str
    status: int = 200


Model = Callable[[Question], Answer]


class Refusal(Exception):
    """A request that the model does not take: the status of the answer, and one line that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def media_type(header: str) -> str:
    """Return a media type without its parameters."""
    return header.partition(";")[0].strip().lower()


def one_line(error: BaseException) -> str:
    """Return an error's text on one line, a short one; that of an error without a text is its name."""
    return " ".join(str(error).split())[:MOST_CHARACTERS] or type(error).__name__
