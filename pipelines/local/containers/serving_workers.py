"""The workers of a model server: processes that answer one request at a time. Standalone: `serving.py` imports it.

Connections are kept, and belong to the worker that accepted them. One on which a request waits while another worker
is idle is closed after its next answer, so that its client connects anew, to an idle worker.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import select
import signal
import sys
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import gunicorn.app.base
import gunicorn.arbiter
from aiohttp import web
from aiohttp.worker import GunicornWebWorker

if TYPE_CHECKING:
    from pipelines.local.containers import isolation
else:
    import isolation

GRACE_SECONDS = 30
KEEP_ALIVE_SECONDS = 3600
QUIET_SECONDS, QUIET_LOOKS = 0.02, 2
IDLE, BUSY = 0, 1
HELD = {signal.SIGTERM}

Routes = Callable[["Balance"], web.Application]


class Balance:
    """Which workers are idle just now, in memory that they share, and whether one's connections should move there.

    Each worker has its `number` and its `runner`; one that `ends` closes every connection after the next answer.
    """

    def __init__(self, workers: int) -> None:
        self._states = mmap.mmap(-1, workers)
        self._states[:] = bytes([BUSY]) * workers
        self.number = 0
        self.ends = False
        self.runner: web.AppRunner | None = None

    def busy(self) -> None:
        """Note that this worker works."""
        self._states[self.number] = BUSY

    def idle(self) -> None:
        """Note that this worker does nothing."""
        self._states[self.number] = IDLE

    def closes(self, request: web.Request) -> bool:
        """Tell whether to close a request's connection: another request waits for this worker, and not all work."""
        states = self._states[:]
        others = states[: self.number] + states[self.number + 1 :]
        return self.ends or (IDLE in others and self._has_waiting(request))

    def _has_waiting(self, request: web.Request) -> bool:
        server = self.runner.server if self.runner else None
        waiting = select.poll()
        for connection in server.connections if server else ():
            if connection.transport and connection.transport is not request.transport:
                waiting.register(connection.transport.get_extra_info("socket"), select.POLLIN)
        return bool(waiting.poll(0))

    def count(self) -> int:
        """Return how many requests this worker has begun with."""
        server = self.runner.server if self.runner else None
        return server.requests_count if server else 0


class Worker(GunicornWebWorker):
    """A worker that ends after the requests that were sent before it was asked to."""

    number: int
    balance: Balance

    def init_signals(self) -> None:
        """Handle signals in this worker's own way, those among them that came since it was forked."""
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End when no more requests come."""
        # It comes twice: to the whole group, and from the process that forked this one.
        if not self.balance.ends:
            self.balance.ends = True
            self._end = self.loop.create_task(self._end_quietly(sig))

    async def _end_quietly(self, sig: int) -> None:
        # The socket is gone from its folder, but connections may wait to be accepted, and requests to be read.
        quiet, seen = 0, -1
        while quiet < QUIET_LOOKS:
            await asyncio.sleep(QUIET_SECONDS)
            count = self.balance.count()
            quiet, seen = (quiet + 1 if count == seen else 0), count
        self.handle_quit(sig, None)


class Arbiter(gunicorn.arbiter.Arbiter):  # type: ignore[misc]
    """Forks workers, and replaces those that die or hang."""

    def spawn_worker(self) -> int:
        """Fork a worker, and return its process; a signal that comes before it has its own handlers is held."""
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
        try:
            pid: int = super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
        return pid


class Workers(gunicorn.app.base.BaseApplication):  # type: ignore[misc]
    """Workers of a number, of which one that hangs for `timeout` seconds is killed.

    `routes` makes the application of each; `socket` is the path of the one that they all listen on.
    """

    def __init__(self, routes: Routes, socket: str, *, workers: int, timeout: int) -> None:
        self._routes = routes
        self._balance = Balance(workers)
        self._settings = {
            "bind": f"unix:{socket}",
            "control_socket_disable": True,
            "graceful_timeout": GRACE_SECONDS,
            "pre_fork": self.pre_fork,
            "post_fork": self.post_fork,
            "preload_app": True,
            "proc_name": "serving",
            "timeout": timeout,
            "worker_class": Worker,
            "workers": workers,
        }
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's settings."""
        for name, value in self._settings.items():
            # Older ones have no control socket.
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Callable[[], Awaitable[web.AppRunner]]:
        """Return what makes a worker's application."""

        async def make() -> web.AppRunner:
            app = self._routes(self._balance)
            runner = web.AppRunner(
                app,
                access_log=None,
                # Models get bodies as they were sent.
                auto_decompress=False,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
                shutdown_timeout=GRACE_SECONDS,
            )
            self._balance.runner = runner
            self._balance.idle()
            return runner

        return make

    def run(self) -> None:
        """Answer requests until SIGTERM."""
        Arbiter(self).run()

    def pre_fork(self, arbiter: Any, worker: Worker) -> None:
        """Give a worker the first number that is free."""
        taken = {other.number for other in arbiter.WORKERS.values()}
        worker.number = next(number for number in range(len(taken) + 1) if number not in taken)

    def post_fork(self, _: Any, worker: Worker) -> None:
        """Let a worker end with the process that forked it, even when that is killed."""
        isolation.prctl(isolation.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != worker.ppid:
            sys.exit(1)
        worker.balance, self._balance.number = self._balance, worker.number
