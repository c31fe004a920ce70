"""The head of a request: its first line and its headers, read strictly and bounded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.local.errors import ServiceError
from pipelines.local.http.channel import Channel

MAX_LINE_BYTES = 1 << 14
MAX_HEADERS = 100
MAX_LENGTH_DIGITS = 18
METHOD = re.compile(r"[A-Z]{1,16}")
TARGET = re.compile(r'/[^\x00-\x20"#<>\\^`{|}\x7f-\U0010ffff]*')
VERSION = re.compile(r"HTTP/(\d)\.(\d)")
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[^\x00-\x1f\x7f]|\t)*)")
LENGTH = re.compile(rf"[0-9]{{1,{MAX_LENGTH_DIGITS}}}")
# What would mean something else if it were there twice.
SINGLE = {"authorization", "content-length", "expect", "host", "origin", "range", "transfer-encoding", "x-amz-target"}


@dataclass(frozen=True)
class Head:
    """A request without its body; the names of the headers are in lower case. `length` is None for a chunked body."""

    method: str
    target: str
    is_http_1_0: bool
    headers: Mapping[str, str]
    length: int | None

    @property
    def keeps_alive(self) -> bool:
        """Say whether the client wants to send more on this connection."""
        return not self.is_http_1_0 and "close" not in self.headers.get("connection", "").lower()

    @property
    def awaits_continue(self) -> bool:
        """Say whether the client sends the body only after it was told to."""
        return not self.is_http_1_0 and self.headers.get("expect", "").lower() == "100-continue"


def read_head(channel: Channel) -> Head:
    """Read the head of the next request.

    Raises:
        ServiceError: it is not one, or too long.
        TimeoutError: it does not come.
    """
    method, target, is_http_1_0 = _request_line(_line(channel) or _line(channel))
    headers = _headers(channel)
    return Head(method, target, is_http_1_0, headers, _length(headers, is_http_1_0=is_http_1_0))


def bad_request(problem: str, *, status: int = 400) -> ServiceError:
    """Return the error of a request that is not HTTP as it is spoken here."""
    return ServiceError("BadRequest", f"not a request that this server reads: {problem}", status=status)


def _line(channel: Channel) -> str:
    line = channel.read_line(MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        if len(line) >= MAX_LINE_BYTES:
            raise bad_request(f"a line of its head has more than {MAX_LINE_BYTES} bytes", status=431)
        raise bad_request("it ended within its head")
    try:
        return line.rstrip(b"\r\n").decode()
    except UnicodeDecodeError as error:
        raise bad_request("its head is not UTF-8") from error


def _request_line(line: str) -> tuple[str, str, bool]:
    parts = line.split(" ")
    version = VERSION.fullmatch(parts[-1])
    if len(parts) != 3 or not version or not METHOD.fullmatch(parts[0]):
        raise bad_request(f"{line[:60]!r} is not <METHOD> /<path> HTTP/1.1")
    if version[1] != "1":
        raise bad_request(f"it is {parts[-1]}, and this server speaks HTTP/1.1", status=505)
    if not TARGET.fullmatch(parts[1]):
        raise bad_request(f"{parts[1][:60]!r} is not a path, with other characters than URLs have encoded")
    return parts[0], parts[1], version[2] == "0"


def _headers(channel: Channel) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADERS + 1):
        line = _line(channel)
        if not line:
            return headers
        match = HEADER.fullmatch(line)
        if not match:
            raise bad_request(f"{line[:60]!r} is not a header")
        name, value = match[1].lower(), match[2].rstrip(" \t")
        if name in headers and name in SINGLE:
            raise bad_request(f"it has the header {name} twice")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raise bad_request(f"it has more than {MAX_HEADERS} headers", status=431)


def _length(headers: Mapping[str, str], *, is_http_1_0: bool) -> int | None:
    length, encoding = headers.get("content-length"), headers.get("transfer-encoding")
    if encoding is not None:
        if length is not None or is_http_1_0:
            raise bad_request("transfer-encoding goes neither with content-length nor with HTTP/1.0")
        if encoding.lower() != "chunked":
            raise bad_request(f"transfer-encoding {encoding[:60]!r}: only chunked is read", status=501)
        return None
    if length is not None and not LENGTH.fullmatch(length):
        raise bad_request(f"content-length {length[:60]!r} is not a number of bytes")
    return int(length or "0")
