"""Errors of botocore as one line: the code, the operation, and what to do next."""

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    ResponseStreamingError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

_LOG_IN = "log in again (aws sso login, or renew AWS_PROFILE / AWS_ACCESS_KEY_ID), or run with --local"
_NEXT = {
    "404": "make the bucket, or name another one",
    "AccessDenied": "allow this role the operation in IAM",
    "AccessDeniedException": "allow this role the operation in IAM",
    "ExpiredToken": _LOG_IN,
    "ExpiredTokenException": _LOG_IN,
    "InvalidClientTokenId": _LOG_IN,
    "UnrecognizedClientException": _LOG_IN,
    "NoSuchBucket": "make the bucket, or name another one",
    "ResourceLimitExceeded": "ask for a higher quota, or choose another instance type",
    "ResourceNotFound": "check the name, the account and the region",
    # The local SageMaker's own.
    "StateLost": "start the command again",
    "ThrottlingException": "wait a little and run the same command again",
    "ValidationException": "correct what the message names and run the same command again",
}
_BY_TYPE: tuple[tuple[type[BotoCoreError], str], ...] = (
    (NoCredentialsError, _LOG_IN),
    (NoRegionError, "set AWS_DEFAULT_REGION, or run with --local"),
    (ProfileNotFound, "correct AWS_PROFILE, or run with --local"),
    (EndpointConnectionError, "check the region and the network, or run with --local"),
)

_THROTTLED = frozenset(
    {
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_BEING_RENEWED = (CredentialRetrievalError, MetadataRetrievalError, TokenRetrievalError, UnauthorizedSSOTokenError)
_NETWORK = (BotoConnectionError, HTTPClientError, IncompleteReadError, ResponseStreamingError)


def is_expired(error: Exception) -> bool:
    """Whether the credentials have run out."""
    if isinstance(error, ClientError):
        return error.response["Error"].get("Code") in _EXPIRED
    return isinstance(error, _BEING_RENEWED)


def is_passing(error: Exception) -> bool:
    """Whether the same call may succeed a while later."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error.response["Error"].get("Code") in _THROTTLED | _EXPIRED
    return isinstance(error, _NETWORK + _BEING_RENEWED)


def explain(error: Exception) -> str | None:
    """Say what went wrong in AWS, where, and what to do; none for an error that is not botocore's."""
    if isinstance(error, ClientError):
        code, message = error.response["Error"].get("Code", "Unknown"), error.response["Error"].get("Message", "")
        advice = _NEXT.get(code, "see the message; --verbose shows the traceback")
        return _line(f"{code} in {error.operation_name}: {message}", advice)
    if isinstance(error, BotoCoreError):
        advice = next((text for kind, text in _BY_TYPE if isinstance(error, kind)), "--verbose shows the traceback")
        return _line(f"{type(error).__name__}: {error}", advice)
    return None


def _line(what: str, advice: str) -> str:
    # What a message adds in parentheses, such as the place, belongs to its last sentence.
    sentence = re.sub(r"\. (\((?!.*\. \().*\))$", r" \1", " ".join(what.split()).rstrip("."))
    return f"{sentence}. Next: {advice}"
