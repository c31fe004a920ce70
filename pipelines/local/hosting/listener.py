"""The endpoint's port: who may use it, and how much of it one client may take."""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from pipelines.local.callers.origin import check_origin
from pipelines.local.callers.peer import Peers
from pipelines.local.errors import ServiceError

ADDRESS = "127.0.0.1"
BACKLOG = 512
# What InvokeEndpoint takes.
MAX_BODY_BYTES = 6 << 20
# A client that has not brought a whole head, or a whole body, or not taken its answer by then is given up.
HEAD_SECONDS = 75.0
BODY_SECONDS = 60.0
LINGER_SECONDS = 2.0
ANSWER_MILLISECONDS = 60_000
# A process that was killed may hold its port for a moment.
PORT_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 0.05
CHECKED = ("Host", "Origin")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Requests that are no HTTP get their answer; a traceback of each would fill the log.
CLIENTS_MISTAKES = logging.getLogger(f"{__name__}.mistakes")
CLIENTS_MISTAKES.setLevel(logging.CRITICAL)

Answerer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def listen(url: str | None) -> socket.socket:
    """Return a socket that listens where it did before, if that port can be had, or on any port."""
    deadline = time.monotonic() + PORT_SECONDS
    port = (urlsplit(url).port if url else None) or 0
    while port and time.monotonic() < deadline:
        with suppress(OSError):
            return _listen(port)
        time.sleep(LOOK_AGAIN_SECONDS)
    return _listen(0)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, ANSWER_MILLISECONDS)
        listener.bind((ADDRESS, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


class Connection(RequestHandler):
    """One connection; a client that sends no more, but has sent a whole request, gets its answer."""

    __slots__ = ("body",)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.body: aiohttp.StreamReader | None = None

    def eof_received(self) -> bool:  # type: ignore[override]
        """Tell whether there is still something to be said."""
        waiter = self._waiter
        is_idle = not self._request_count or (waiter is not None and not waiter.done())
        if is_idle or not all(body.is_eof() for body in self._bodies()):
            return False
        self.close()
        return True

    def _bodies(self) -> list[aiohttp.StreamReader]:
        """Return the body of the request that is being answered; before that, of those that came last."""
        if self._current_request:
            return [self._current_request.content]
        return [*([self.body] if self.body else []), *(payload for _, payload in self._messages)]


class Listener(web.Server):
    """The connections of a port, each of which may be used by this user and no other."""

    def __init__(self, answer: Answerer, port: int) -> None:
        super().__init__(
            answer,
            request_factory=self._take_up,
            access_log=None,
            logger=CLIENTS_MISTAKES,
            auto_decompress=False,
            keepalive_timeout=HEAD_SECONDS,
            lingering_time=LINGER_SECONDS,
        )
        self._port = port
        self._peers = Peers(port)
        self._refused: dict[RequestHandler, ServiceError] = {}

    def __call__(self) -> RequestHandler:
        """Return what speaks HTTP on a new connection."""
        return Connection(self, loop=self._loop, **self._kwargs)

    def _take_up(
        self,
        message: RawRequestMessage,
        payload: aiohttp.StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        """Return a request, whose body its connection knows from now on."""
        assert isinstance(protocol, Connection)
        protocol.body = payload
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Look whose connection it is, once."""
        try:
            self._peers.check(transport.get_extra_info("peername")[1])
        except ServiceError as error:
            self._refused[handler] = error
        super().connection_made(handler, transport)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Forget a connection."""
        self._refused.pop(handler, None)
        super().connection_lost(handler, exc)

    def admit(self, request: web.BaseRequest) -> None:
        """Refuse other users, other hosts, and pages in a browser.

        Raises:
            ServiceError: AccessDenied, or BadRequest without a host.
        """
        if self._refused and request.protocol in self._refused:
            raise self._refused[request.protocol]
        check_origin({name.lower(): request.headers[name] for name in CHECKED if name in request.headers}, self._port)

    async def read(self, request: web.BaseRequest) -> bytes:
        """Return a request's body.

        Raises:
            ServiceError: it is too long, or does not come in time.
        """
        if (request.content_length or 0) > MAX_BODY_BYTES:
            raise too_long()
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(CONTINUE)
            request.writer.output_size = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await _read(request.content)
        except TimeoutError as error:
            request.protocol.close()
            message = f"the body of the request did not come within {BODY_SECONDS:g} seconds; send it again"
            raise ServiceError("RequestTimeout", message, status=408) from error


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    while not content.at_eof():
        body += await content.readany()
        if len(body) > MAX_BODY_BYTES:
            raise too_long()
    return bytes(body)


def too_long() -> ServiceError:
    """Return the error of a request whose body is longer than the service takes."""
    message = f"the body has more than {MAX_BODY_BYTES} bytes; send fewer rows at once, or use batch transform"
    return ServiceError("ValidationError", message, status=413)
