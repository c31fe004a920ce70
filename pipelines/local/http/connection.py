"""One client's connection: requests in, responses out, until one of the two has enough."""

import logging
import socket
import time
from collections.abc import Callable, Mapping

from pipelines.local.api.wire import Answer, Request, Response
from pipelines.local.errors import ServiceError
from pipelines.local.http import router
from pipelines.local.http.body import Body
from pipelines.local.http.channel import Channel
from pipelines.local.http.head import Head, read_head
from pipelines.local.http.reply import send_response

logger = logging.getLogger(__name__)

MAX_SKIPPED_BYTES = 1 << 20
LINGER_SECONDS = 2.0
MAX_LINGER_BYTES = 64 << 20


class Connection:
    """A connection to one client; `admit` refuses, by a request's headers, whom it is not for.

    serve: while both want more
        _exchange    one request and its response
            _respond     check, route, answer; whatever goes wrong is a response too
    """

    def __init__(
        self,
        connection: socket.socket,
        services: Mapping[str, Answer],
        *,
        admit: Callable[[Mapping[str, str]], None],
        patience: float,
        is_closing: Callable[[], bool],
    ) -> None:
        self._channel = Channel(connection, patience)
        self._services = services
        self._admit = admit
        self._is_closing = is_closing
        # Since when it waits for the head of a request; None while it answers one.
        self.waiting_since: float | None = time.monotonic()

    def serve(self) -> None:
        """Answer until the client has enough, or is not understood any more."""
        while self._exchange():
            self.waiting_since = time.monotonic()
            self._channel.wait_anew()
        self._linger()

    def _exchange(self) -> bool:
        head, body = None, None
        try:
            if not self._channel.has_more():
                return False
        except TimeoutError:
            return False
        try:
            head = read_head(self._channel)
            self.waiting_since = None
            self._channel.wait_anew()
            body = Body(self._channel, head)
            response = self._respond(head, body)
        except ServiceError as error:
            response = router.refusal(error, {})
        except TimeoutError:
            late = ServiceError("RequestTimeout", "the head of the request did not come in time", status=408)
            response = router.refusal(late, {})
        return self._reply(head, body, response)

    def _respond(self, head: Head, body: Body) -> Response:
        try:
            self._admit(head.headers)
            url = f"http://{head.headers['host']}{head.target}"
            return router.answer(self._services, Request(head.method, url, head.headers, body))
        except ServiceError as error:
            return router.refusal(error, head.headers)
        except Exception as error:
            # Whatever is wrong with one request, the others are to be answered.
            logger.exception("%s %s ended by an error of the local SageMaker itself", head.method, head.target)
            message = f"{type(error).__name__}: {error}"
            return router.refusal(ServiceError("InternalFailure", message, status=500), head.headers)

    def _reply(self, head: Head | None, body: Body | None, response: Response) -> bool:
        """Send a response, and tell whether the connection can go on."""
        keeps_alive = bool(
            head and body and head.keeps_alive and not self._is_closing() and body.is_short(MAX_SKIPPED_BYTES)
        )
        try:
            is_head = bool(head and head.method == "HEAD")
            send_response(self._channel, response, is_head=is_head, keeps_alive=keeps_alive)
        except OSError:
            return False  # The client is gone; the next one gets a connection of its own.
        return bool(keeps_alive and body and body.skip())

    def _linger(self) -> None:
        """Read on for a moment: what a client still sends would else make the system drop the response to it."""
        self.waiting_since = time.monotonic()
        self._channel.end_output()
        self._channel.wait_anew()
        self._channel.wait_at_most(LINGER_SECONDS)
        left = MAX_LINGER_BYTES
        try:
            while left > 0 and (block := self._channel.read(left)):
                left -= len(block)
                self._channel.wait_at_most(LINGER_SECONDS)
        except OSError:
            return  # It had its moment.
