"""The gateway's side of the model servers: a request goes to one of them over its unix socket."""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from yarl import URL

from pipelines.local.hosting.variant import Variant

INVOCATIONS = URL("http://model/invocations")
# aiohttp sends a stream in pieces, and others get their turn in between.
AT_ONCE_BYTES = 1 << 16
LOOK_AGAIN_SECONDS = 0.02
DYING_SECONDS = 0.2
Pool = tuple[aiohttp.ClientSession, aiohttp.ClientSession]
SKIPPED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True)
class Limits:
    """Seconds that a model has, as in the service, and that starting servers have.

    One that is tried out has those of `trial`, on top of those that an alarm allows it, up to `longest_trial`.
    """

    model: float = 60.0
    trial: float = 5.0
    longest_trial: float = 25.0
    start: float = 30.0


@dataclass(frozen=True)
class Call:
    """A request for a model: its headers, those that are for the model, and its body."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What came of a call; `is_model` tells whether the model said so, or nobody did."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_model: bool = True


def no_answer(status: int, problem: str) -> Answer:
    """Return what to say where no model answered."""
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8"}, problem.encode(), is_model=False)


class Upstream:
    """The connections to the model servers, kept for the next requests; for one event loop alone."""

    def __init__(self) -> None:
        self._pools: dict[Path, Pool] = {}

    async def ask(self, variant: Variant, call: Call, *, limit: float, patience: float) -> Answer:
        """Return the answer of a variant's model server, which has some seconds for it.

        A call whose connection breaks before there is a response is sent once more, for predictions change nothing.
        `patience` is how many seconds a server that is not there, because it is started again, is waited for.
        """
        try:
            async with asyncio.timeout(limit):
                return await self._ask(variant, call, patience)
        except TimeoutError:
            return no_answer(504, f"variant {variant.name} did not answer within {limit:g} seconds")

    async def _ask(self, variant: Variant, call: Call, patience: float) -> Answer:
        breaks = 0
        clock = asyncio.get_running_loop().time
        deadline = clock() + patience
        while True:
            socket = variant.socket
            try:
                if socket:
                    return await self._exchange(socket, call, is_fresh=breaks > 0)
            except aiohttp.ClientConnectorError:
                pass  # It is gone, and nothing was sent.
            except aiohttp.ClientError:
                breaks += 1
                if breaks == 1:
                    continue
                # A server that is being killed breaks off more than once, and is known to be dead a moment later.
                await asyncio.sleep(min(DYING_SECONDS, patience))
                if variant.is_alive and variant.socket == socket:
                    return no_answer(500, f"the model server of variant {variant.name} broke off the connection twice")
            if variant.lasting_failure:
                return no_answer(503, variant.lasting_failure)
            if clock() >= deadline:
                return no_answer(503, f"the model server of variant {variant.name} is not running")
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _exchange(self, socket: Path, call: Call, *, is_fresh: bool) -> Answer:
        kept, fresh = self._pools.get(socket) or await self._pool(socket)
        session = fresh if is_fresh else kept
        data = call.body if len(call.body) < AT_ONCE_BYTES else io.BytesIO(call.body)
        async with session.post(INVOCATIONS, data=data, headers=call.headers) as response:
            return Answer(response.status, response.headers, await response.read())

    async def _pool(self, socket: Path) -> Pool:
        # The retry must not meet another connection that the server has given up meanwhile.
        pool = self._pools[socket] = _session(socket, is_kept=True), _session(socket, is_kept=False)
        for gone in [path for path in self._pools if path != socket and not path.exists()]:
            for session in self._pools.pop(gone):
                await session.close()
        return pool

    async def close(self) -> None:
        """Close all connections."""
        pools, self._pools = self._pools, {}
        for session in (session for pool in pools.values() for session in pool):
            await session.close()


def _session(socket: Path, *, is_kept: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(str(socket), limit=0, force_close=not is_kept),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=SKIPPED,
        timeout=aiohttp.ClientTimeout(total=None),
    )
