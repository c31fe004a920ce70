"""What a service answers when it refuses."""

from typing import Any

Document = dict[str, Any]


class Refusal(Exception):
    """An error of the service, with what it has beside code and message."""

    def __init__(self, code: str, message: str, *, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.parsed = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
            **more,
        }


def missing(kind: str, name: str) -> Refusal:
    """Return what the service says of something that is not there."""
    return Refusal("ValidationException", f'Could not find {kind} "{name}".')
