"""What a Describe operation says, or none where there is nothing of that name."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

_ABSENT = frozenset({"ResourceNotFound", "ResourceNotFoundException", "ValidationError", "ValidationException"})
_WORDS = ("could not find", "does not exist", "not found")


def found(describe: Callable[..., Any], **request: str) -> Mapping[str, Any] | None:
    """Return the description."""
    try:
        description: Mapping[str, Any] = describe(**request)
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return description


def is_absent(error: ClientError) -> bool:
    """Say whether something is missing; a ValidationException says that, and other things too."""
    message = error.response["Error"].get("Message", "").lower()
    return error.response["Error"].get("Code") in _ABSENT and any(words in message for words in _WORDS)
