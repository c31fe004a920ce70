"""Requests and responses as they would go over a wire: what every AWS protocol here has in common."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipelines.local.api.bodies import Bounded, Chunked, Content, Readable

JSON_TYPE = "application/x-amz-json-1.1"

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

    def stream(self) -> Readable:
        """Return the body, decoded where it is in aws-chunked encoding.

        Raises:
            ServiceError: IncompleteBody, from its read, when the body is not as long as announced.
        """
        length = self.headers.get("content-length")
        body = self.body if length is None else Bounded(self.body, int(length))
        if "aws-chunked" not in self.headers.get("content-encoding", ""):
            return body
        length = self.headers.get("x-amz-decoded-content-length")
        return Chunked(body) if length is None else _exactly(Chunked(body), int(length))

    def content(self) -> bytes:
        """Return the whole body, decoded."""
        return b"".join(iter(lambda: self.stream_once.read(1 << 20), b""))

    @cached_property
    def stream_once(self) -> Readable:
        """The body's stream, made once."""
        return self.stream()


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
