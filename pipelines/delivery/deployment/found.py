"""What a Describe operation says, or none where there is nothing of that name."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

_ABSENT = frozenset({"ResourceNotFound", "ResourceNotFoundException", "ValidationError", "ValidationException"})
_WORDS = ("could not find", "does not exist", "not found")


def found(describe: Callable[..., Any], **request: str) -> Mapping[str, Any] | None:
    """Return the description; a ValidationException says that something is missing, and other things too."""
    try:
        description: Mapping[str, Any] = describe(**request)
    except ClientError as error:
        message = error.response["Error"].get("Message", "").lower()
        if error.response["Error"].get("Code") in _ABSENT and any(words in message for words in _WORDS):
            return None
        raise
    return description
