"""What an endpoint answers on its port: `GET /ping` and `POST /invocations`."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

from pipelines.local.errors import ServiceError
from pipelines.local.hosting.listener import Listener
from pipelines.local.hosting.metrics import Invocation, Metrics
from pipelines.local.hosting.routes import Routes
from pipelines.local.hosting.upstream import Answer, Call, Upstream
from pipelines.local.hosting.variant import Variant

logger = logging.getLogger(__name__)

BAD_REQUEST, SERVER_ERROR = 400, 500
CLOSE_SECONDS = 5.0
# The thread does only short work, but the machine may be busy.
REACT_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.02
TARGET_VARIANT = "X-Amzn-SageMaker-Target-Variant"
INVOKED_VARIANT = "x-Amzn-Invoked-Production-Variant"
# Only what the gateway itself refuses has this.
ERROR_TYPE = "x-amzn-errortype"
# The service gives a container these, and takes from it all but what is about the connection.
FOR_THE_MODEL = {"accept", "content-encoding", "content-type"}
CUSTOM = "x-amzn-sagemaker-"
OF_THE_CONNECTION = {"connection", "content-length", "date", "keep-alive", "server", "trailer", "transfer-encoding"}


@dataclass(frozen=True)
class Limits:
    """Seconds that a model has, as in the service; that one has which is tried out; and that starting servers have."""

    model: float = 60.0
    trial: float = 25.0
    start: float = 30.0


class Gateway:
    """Answers requests in a thread of its own, from `start` to `close`, by the variants whose turn it is.

    While a deployment goes on, a request that a green variant does not answer is answered by the fleet that served
    before. Where that can, or the green variant gave a 5xx or nothing, it counts as a 5xx of the green one. In AWS the
    client gets the green variant's error.
    """

    def __init__(self, listener: socket.socket, metrics: Metrics, limits: Limits | None = None) -> None:
        self._socket = listener
        self.port: int = listener.getsockname()[1]
        self._metrics = metrics
        self._limits = limits or Limits()
        self._routes: Routes | None = None
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="gateway", daemon=True)

    def start(self) -> None:
        """Begin to answer; requests wait until there are routes."""
        self._thread.start()
        self._started.result(REACT_SECONDS)

    def route(self, routes: Routes) -> None:
        """Send requests elsewhere; when this returns, none begins any more where they went before."""
        done: Future[None] = Future()

        def swap() -> None:
            self._routes = routes
            done.set_result(None)

        self._started.result().call_soon_threadsafe(swap)
        done.result(REACT_SECONDS)

    def close(self) -> None:
        """Take no more requests, and give those that are being answered some seconds."""
        self._started.result().call_soon_threadsafe(self._closing.set)
        self._thread.join(3 * CLOSE_SECONDS)

    async def _serve(self) -> None:
        self._upstream = Upstream()
        self._listener = Listener(self._answer, self.port)
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(self._listener, sock=self._socket)
        self._started.set_result(loop)
        await self._closing.wait()
        listening.close()
        self._listener.pre_shutdown()
        await self._listener.shutdown(CLOSE_SECONDS)
        await self._upstream.close()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        try:
            self._listener.admit(request)
            return await self._respond(request)
        except ServiceError as error:
            return web.Response(status=error.status, text=f"{error.message}\n", headers={ERROR_TYPE: error.code})
        except Exception as error:
            # Whatever is wrong with one request, the others are to be answered.
            logger.exception("%s %s ended by an error of the gateway itself", request.method, request.path)
            text = f"{type(error).__name__}: {error}\n"
            return web.Response(status=SERVER_ERROR, text=text, headers={ERROR_TYPE: "InternalFailure"})

    async def _respond(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/ping":
            is_ready = self._routes is not None and self._routes.is_ready
            return web.Response(status=200 if is_ready else 503)
        if request.path != "/invocations":
            message = f"there is no {request.path[:100]} here; POST /invocations and GET /ping are"
            raise ServiceError("UnknownOperation", message, status=404)
        if request.method != "POST":
            raise ServiceError("UnknownOperation", f"/invocations takes POST, not {request.method}", status=405)
        return await self._invoke(request)

    async def _invoke(self, request: web.BaseRequest) -> web.Response:
        started = time.perf_counter()
        call = Call(_for_the_model(request.headers), await self._listener.read(request))
        routes = self._routes or await self._wait_for_routes()
        with routes.held():
            variant = routes.choose(request.headers.get(TARGET_VARIANT))
            backup = routes.backup(variant)
            asked = time.perf_counter()
            answer = await self._try(variant, call) if backup else await self._ask(variant, call)
            seconds = time.perf_counter() - asked
            other = await self._ask(backup, call) if backup and answer.status >= BAD_REQUEST else None
        is_at_fault = _is_at_fault(answer, other)
        status = answer.status if answer.is_model and not is_at_fault else None
        self._metrics.record(Invocation(variant.name, status, seconds, asked - started))
        return _response(other, backup) if is_at_fault and other and backup else _response(answer, variant)

    async def _ask(self, variant: Variant, call: Call) -> Answer:
        return await self._upstream.ask(variant, call, limit=self._limits.model, patience=self._limits.start)

    async def _try(self, variant: Variant, call: Call) -> Answer:
        return await self._upstream.ask(variant, call, limit=self._limits.trial, patience=0)

    async def _wait_for_routes(self) -> Routes:
        deadline = time.monotonic() + self._limits.start
        while not self._routes:
            if time.monotonic() >= deadline:
                raise ServiceError("ServiceUnavailable", "the endpoint's models are not running yet", status=503)
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return self._routes


def _is_at_fault(green: Answer, blue: Answer | None) -> bool:
    """Tell whether a green variant's answer is an error of its own: a 5xx, or a refusal of what the blue one takes."""
    return blue is not None and (green.status >= SERVER_ERROR or blue.status < BAD_REQUEST)


def _for_the_model(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if _is_for_the_model(name.lower())}


def _is_for_the_model(name: str) -> bool:
    return name in FOR_THE_MODEL or name.startswith(CUSTOM)


def _response(answer: Answer, variant: Variant) -> web.Response:
    kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in OF_THE_CONNECTION]
    headers = CIMultiDict([*kept, (INVOKED_VARIANT, variant.name)])
    return web.Response(status=answer.status, headers=headers, body=answer.body)
