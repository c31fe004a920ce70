"""Requests and responses as they would go over a wire: what every AWS protocol here has in common."""

import io
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pipelines.local.api.bodies import BLOCK_BYTES, Bounded, Chunked, Content
from pipelines.local.errors import ServiceError
from pipelines.local.store.staging import Readable

JSON_TYPE = "application/x-amz-json-1.1"
MAX_CONTENT_BYTES = 8 << 20

Operations = Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]


@dataclass(frozen=True)
class Request:
    """An HTTP request; the names of its headers are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Readable

    @cached_property
    def host(self) -> str:
        """The host that the request is for, without its port."""
        return urlsplit(self.url).hostname or self.headers.get("host", "").partition(":")[0]

    @cached_property
    def path(self) -> str:
        """The path, decoded.

        Raises:
            ServiceError: InvalidURI, when it is not UTF-8.
        """
        return _decoded(urlsplit(self.url).path)

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query's parameters, decoded."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @cached_property
    def stream(self) -> Readable:
        """The body, decoded where it is in aws-chunked encoding; its read raises IncompleteBody when it ends early."""
        body = _bounded(self.body, self.headers.get("content-length"))
        if "aws-chunked" not in self.headers.get("content-encoding", ""):
            return body
        return _bounded(Chunked(body), self.headers.get("x-amz-decoded-content-length"))

    def content(self) -> bytes:
        """Return the whole body, decoded; it can be read once.

        Raises:
            ServiceError: RequestEntityTooLarge; IncompleteBody.
        """
        if int(self.headers.get("content-length", "0")) > MAX_CONTENT_BYTES:
            raise _too_large()
        blocks, size = [], 0
        for block in iter(partial(self.stream.read, BLOCK_BYTES), b""):
            size += len(block)
            if size > MAX_CONTENT_BYTES:
                raise _too_large()
            blocks.append(block)
        return b"".join(blocks)


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Content = b""

    def raw(self) -> Content:
        """Return the body as a file."""
        return self.body if isinstance(self.body, Content) else Content(io.BytesIO(self.body), len(self.body))


Answer = Callable[[Request], Response]


def answer_json(request: Request, *, service: str, operations: Operations) -> Response:
    """Answer a request of the JSON 1.1 protocol, such as SageMaker's; members are the API's, times epoch seconds."""
    name = request.headers.get("x-amz-target", "").rpartition(".")[2]
    try:
        if name not in operations:
            raise unanswered(service, name)
        return _json_response(200, operations[name](_json_object(request.content())))
    except ServiceError as error:
        return _json_response(error.status, {"__type": error.code, "message": error.message})


def unanswered(service: str, operation: str) -> ServiceError:
    """Return the error of an operation that this machine does not have."""
    return ServiceError(
        "NotImplemented",
        f"this machine does not answer {service}:{operation}; call it through a boto3.Session of an AWS account",
        status=501,
    )


def request_id() -> str:
    """Return a new identifier of a request."""
    return secrets.token_hex(8)


def _json_response(status: int, body: Mapping[str, Any]) -> Response:
    headers = {"content-type": JSON_TYPE, "x-amzn-requestid": request_id()}
    return Response(status, headers, json.dumps(body).encode())


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", f"the request is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ServiceError("SerializationException", f"the request is no JSON object but {type(body).__name__}")
    return body


def _bounded(body: Readable, length: str | None) -> Readable:
    return body if length is None else Bounded(body, int(length))


def _too_large() -> ServiceError:
    message = f"the body of the request has more than the {MAX_CONTENT_BYTES} bytes that this operation takes"
    return ServiceError("RequestEntityTooLarge", message, status=413)


def _decoded(path: str) -> str:
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError as error:
        raise ServiceError("InvalidURI", f"the path {path!r} is not UTF-8") from error
