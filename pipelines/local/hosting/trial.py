"""Requests to a green variant: the blue one answers those that it fails, or takes too long for."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pipelines.local.hosting.listener import MAX_BODY_BYTES
from pipelines.local.hosting.metrics import Invocation, Metrics, Wait
from pipelines.local.hosting.routes import Routes
from pipelines.local.hosting.upstream import Answer, Call, Limits, Upstream
from pipelines.local.hosting.variant import Variant

BAD_REQUEST, SERVER_ERROR = 400, 500


@dataclass(frozen=True)
class Trial:
    """A request that a green variant is tried with, who answers in its place, and the seconds that it took before."""

    call: Call
    routes: Routes
    green: Variant
    blue: Variant
    overhead: float


class Trials:
    """Requests to green variants, for one event loop; `oldest` may be asked for by any thread.

    answer: the green variant is asked first
        _compare       it answered in time; the blue one is asked too if that is no good answer
        _compare_late  it did not, so that the blue one has answered; it may go on for a while
    """

    def __init__(self, upstream: Upstream, metrics: Metrics, limits: Limits) -> None:
        self._upstream = upstream
        self._metrics = metrics
        self._limits = limits
        self._unanswered: dict[object, float] = {}
        self._late: set[asyncio.Task[None]] = set()

    @property
    def oldest(self) -> float | None:
        """When the oldest one was sent that the green variant has not answered."""
        return min(list(self._unanswered.values()), default=None)

    async def answer(self, trial: Trial) -> tuple[Answer, Variant]:
        """Return an answer and whose it is."""
        with trial.routes.held(), ExitStack() as stack:
            stack.enter_context(self._sent())
            late_after, limit = self._seconds(trial.routes.patience)
            began = time.perf_counter()
            asked = asyncio.create_task(self._upstream.ask(trial.green, trial.call, limit=limit, patience=0))
            await asyncio.wait({asked}, timeout=late_after)
            seconds = time.perf_counter() - began
            if asked.done():
                answer = asked.result()
                other = None if _is_good(answer) else await self._ask_blue(trial)
                return self._compare(trial, answer, other, seconds)
            self._metrics.record(Wait(trial.green.name, seconds))
            other = await self._ask_blue(trial)
            if not _is_good(other):
                return self._compare(trial, await asked, other, None)
            late = asyncio.create_task(self._compare_late(trial, asked, other, stack.pop_all()))
            self._late.add(late)
            late.add_done_callback(self._late.discard)
            return other, trial.blue

    def _seconds(self, latency: float | None) -> tuple[float | None, float]:
        """Return after how long a green variant is late, if it can be, and when it is given up."""
        limit = min((latency or 0.0) + self._limits.trial, self._limits.longest_trial)
        return (latency if latency is not None and latency < limit else None), limit

    @contextmanager
    def _sent(self) -> Iterator[None]:
        key = object()
        self._unanswered[key] = self._metrics.clock()
        try:
            yield
        finally:
            del self._unanswered[key]

    async def _ask_blue(self, trial: Trial) -> Answer:
        return await self._upstream.ask(trial.blue, trial.call, limit=self._limits.model, patience=self._limits.start)

    async def _compare_late(self, trial: Trial, asked: asyncio.Task[Answer], other: Answer, held: ExitStack) -> None:
        with held:
            self._compare(trial, await asked, other, None)

    def _compare(
        self, trial: Trial, answer: Answer, other: Answer | None, seconds: float | None
    ) -> tuple[Answer, Variant]:
        """Count what the green variant did, and return the answer to give."""
        is_at_fault = other is not None and _is_worse(answer, other)
        status = answer.status if answer.is_model and not is_at_fault else None
        self._metrics.record(Invocation(trial.green.name, status, seconds, trial.overhead))
        return (other, trial.blue) if is_at_fault and other else (answer, trial.green)


def _is_good(answer: Answer) -> bool:
    """Tell whether InvokeEndpoint could pass an answer on as a success."""
    return answer.status < BAD_REQUEST and len(answer.body) <= MAX_BODY_BYTES


def _is_worse(green: Answer, blue: Answer) -> bool:
    """Tell whether a green variant's answer is an error of its own: a 5xx, or no good one where the blue one's is."""
    return green.status >= SERVER_ERROR or (_is_good(blue) and not _is_good(green))
