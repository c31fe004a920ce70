"""How a response goes over a connection."""

import re
from email.utils import formatdate
from http import HTTPStatus

from pipelines.local.api.bodies import BLOCK_BYTES, Content
from pipelines.local.api.wire import Response
from pipelines.local.http.channel import Channel

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# A browser that is led to an object must not take it for a page of this server's.
DEFAULT_HEADERS = {"content-security-policy": "sandbox", "x-content-type-options": "nosniff"}


def send_response(channel: Channel, response: Response, *, is_head: bool, keeps_alive: bool) -> None:
    """Send a response, its body in blocks.

    Raises:
        OSError: the client is gone, or the body ends early; nothing more can go over the connection.
    """
    body = response.raw()
    with body:
        headers = _headers(response, keeps_alive=keeps_alive)
        length = int(headers["content-length"])
        first = b"" if is_head else body.read(BLOCK_BYTES)
        channel.send(_head(response.status, headers) + first)
        left = 0 if is_head else length - len(first)
        while left:
            block = body.read(BLOCK_BYTES)
            if not block:
                raise OSError(f"the body of a response ended {left} bytes early")
            channel.send(block)
            left -= len(block)


def _headers(response: Response, *, keeps_alive: bool) -> dict[str, str]:
    size = 0 if isinstance(response.body, Content) else len(response.body)
    headers = {**DEFAULT_HEADERS, "content-length": str(size), **response.headers}
    return {**headers, "connection": "keep-alive" if keeps_alive else "close", "date": formatdate(usegmt=True)}


def _head(status: int, headers: dict[str, str]) -> bytes:
    if status == HTTPStatus.NO_CONTENT:
        headers = {name: value for name, value in headers.items() if name != "content-length"}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {CONTROL.sub(' ', value)}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
