"""What an endpoint answers on its port: `GET /ping` and `POST /invocations`."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future

from aiohttp import web
from multidict import CIMultiDict

from pipelines.local.errors import ServiceError
from pipelines.local.hosting.listener import Listener
from pipelines.local.hosting.metrics import Invocation, Metrics
from pipelines.local.hosting.routes import Routes
from pipelines.local.hosting.trial import Trial, Trials
from pipelines.local.hosting.upstream import Answer, Call, Limits, Upstream
from pipelines.local.hosting.variant import Variant

logger = logging.getLogger(__name__)

SERVER_ERROR = 500
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


class Gateway:
    """Answers requests in a thread of its own, from `start` to `close`, by the variants whose turn it is.

    While a deployment goes on, a request that a green variant does not answer, or not soon, is answered by the fleet
    that served before. Where that can, or the green variant gave a 5xx or nothing, it counts as a 5xx of the green one.
    In AWS the client gets the green variant's error.
    """

    def __init__(self, listener: socket.socket, metrics: Metrics, limits: Limits | None = None) -> None:
        self._socket = listener
        self.port: int = listener.getsockname()[1]
        self._metrics = metrics
        self._limits = limits or Limits()
        self._routes: Routes | None = None
        self._upstream = Upstream()
        self._trials = Trials(self._upstream, metrics, self._limits)
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="gateway", daemon=True)

    @property
    def oldest_trial(self) -> float | None:
        """When the oldest request was sent, of those to green variants, that is not answered by its variant yet."""
        return self._trials.oldest

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
            return self._ping()
        if request.path != "/invocations":
            message = f"there is no {request.path[:100]} here; POST /invocations and GET /ping are"
            raise ServiceError("UnknownOperation", message, status=404)
        if request.method != "POST":
            raise ServiceError("UnknownOperation", f"/invocations takes POST, not {request.method}", status=405)
        return await self._invoke(request)

    def _ping(self) -> web.Response:
        routes = self._routes
        if routes and routes.lasting_failure:
            raise ServiceError("ServiceUnavailable", routes.lasting_failure, status=503)
        return web.Response(status=200 if routes and routes.is_ready else 503)

    async def _invoke(self, request: web.BaseRequest) -> web.Response:
        started = time.perf_counter()
        call = Call(_for_the_model(request.headers), await self._listener.read(request))
        routes = self._routes or await self._wait_for_routes()
        variant = routes.choose(request.headers.get(TARGET_VARIANT))
        asked = time.perf_counter()
        backup = routes.backup(variant)
        if backup:
            return _response(*await self._trials.answer(Trial(call, routes, variant, backup, asked - started)))
        with routes.held():
            answer = await self._upstream.ask(variant, call, limit=self._limits.model, patience=self._limits.start)
        status = answer.status if answer.is_model else None
        self._metrics.record(Invocation(variant.name, status, time.perf_counter() - asked, asked - started))
        return _response(answer, variant)

    async def _wait_for_routes(self) -> Routes:
        deadline = time.monotonic() + self._limits.start
        while not self._routes:
            if time.monotonic() >= deadline:
                raise ServiceError("ServiceUnavailable", "the endpoint's models are not running yet", status=503)
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return self._routes


def _for_the_model(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if _is_for_the_model(name.lower())}


def _is_for_the_model(name: str) -> bool:
    return name in FOR_THE_MODEL or name.startswith(CUSTOM)


def _response(answer: Answer, variant: Variant) -> web.Response:
    kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in OF_THE_CONNECTION]
    headers = CIMultiDict([*kept, (INVOKED_VARIANT, variant.name)])
    return web.Response(status=answer.status, headers=headers, body=answer.body)
