"""What serves a page on a loopback port."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

from pipelines.delivery.errors import DeliveryError
from pipelines.ui.app import make_app

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from pipelines.delivery.run import Site

ADDRESS = "127.0.0.1"
BACKLOG = 128
CLOSE_SECONDS = 1


class AppServer:
    """Answers browsers with an app, which is made for the port, until `close`; it writes nothing on the terminal.

    Raises:
        DeliveryError: the port cannot be had.
    """

    def __init__(self, make: Callable[[int], ASGIApp], *, port: int = 0) -> None:
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{ADDRESS}:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                make(self.port),
                http="h11",
                ws="none",
                lifespan="off",
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=CLOSE_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._serve, name=f"port {self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more requests, give those that are being answered a second, and free the port."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        asyncio.run(self._server.serve([self._listener]))


class Server(AppServer):
    """Answers browsers with the page of a site."""

    def __init__(self, site: Site, *, port: int = 0) -> None:
        super().__init__(lambda taken: make_app(site, port=taken, token=secrets.token_bytes(32)), port=port)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ADDRESS, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        problem = error.strerror or str(error)
        raise DeliveryError(
            f"cannot serve port {port} of {ADDRESS}: {problem}; choose another port, or 0 for a free one"
        ) from error
    return listener
