"""The scheduler: runs the steps of one execution in the order that their dependencies allow."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Protocol

from pipelines.local.containers.stop import Stop
from pipelines.local.definition import Definition, Dependency, Graph, Step
from pipelines.local.errors import StepFailure, StoppedByUser
from pipelines.local.steps.step_context import StepResult

logger = logging.getLogger(__name__)

SUCCEEDED, FAILED, STOPPED = "Succeeded", "Failed", "Stopped"
COMPLETED_WITH_FAILURES = "CompletedWithFailures"
# How many steps run at once when nobody set a limit. The service starts all that are ready; its guide speaks of 50.
DEFAULT_PARALLELISM = 50
WATCH_SECONDS = 0.2

Runner = Callable[[Step], StepResult]


@dataclass(frozen=True)
class StepEnd:
    """How a step ended; `reason` says why where it did not succeed."""

    status: str
    result: StepResult | None = None
    reason: str | None = None


class Listener(Protocol):
    """What an engine tells while it runs, and what it asks."""

    def step_started(self, step: Step) -> None:
        """Hear that a step begins."""

    def step_ended(self, step: Step, end: StepEnd) -> None:
        """Hear how a step ended."""

    def parallelism(self) -> int | None:
        """Tell how many steps may run at once, now."""

    def watch(self) -> None:
        """Be called now and then while steps run."""


class Engine:
    """Runs one execution.

    run: while there are steps that are ready, or running
        _ready       which steps may start now: their branch is taken, their dependencies ended as asked
        _start       in a thread: the runner of the step's type
        _wait_for_one
        _finish      what became of it
    _status          what became of the execution
    """

    def __init__(
        self,
        definition: Definition,
        run_step: Runner,
        listener: Listener,
        stop: Stop,
        *,
        ended: Mapping[str, StepEnd] | None = None,
        selected: frozenset[str] | None = None,
    ) -> None:
        """Take the steps that `ended` before as they are; of the others, run those `selected` (all, if None)."""
        self._steps = definition.all_steps()
        self._graph = Graph(definition)
        self._run_one = run_step
        self._listener = listener
        self._stop = stop
        self._ended: dict[str, StepEnd] = dict(ended or {})
        self._waiting = {
            name: step
            for name, step in self._steps.items()
            if name not in self._ended and (selected is None or name in selected)
        }
        self._halted = False
        self._running = 0
        self._results: SimpleQueue[tuple[Step, StepEnd]] = SimpleQueue()

    def run(self) -> str:
        """Run to the end and return the status of the execution."""
        try:
            return self._run_all()
        finally:
            # Where the listener failed, nobody would hear of the steps that still run.
            self._end_running()

    def _run_all(self) -> str:
        while True:
            room = self._parallelism() - self._running
            for step in list(self._ready())[: max(room, 0)]:
                self._start(step)
            if not self._running:
                return self._status()
            self._wait_for_one()
            self._listener.watch()

    def _start(self, step: Step) -> None:
        del self._waiting[step.name]
        self._listener.step_started(step)
        self._running += 1
        # A daemon, for a process that ends stops its executions itself, and must not wait for their steps first.
        Thread(target=self._run_step, args=(step,), name=f"step {step.name}", daemon=True).start()

    def _wait_for_one(self) -> None:
        try:
            step, end = self._results.get(timeout=WATCH_SECONDS)
        except Empty:
            return
        self._running -= 1
        self._finish(step, end)

    def _end_running(self) -> None:
        if self._running:
            self._stop.set()
        for _ in range(self._running):
            self._results.get()

    def _parallelism(self) -> int:
        return min(self._listener.parallelism() or DEFAULT_PARALLELISM, DEFAULT_PARALLELISM)

    def _ready(self) -> Iterator[Step]:
        return iter(()) if self._stop.is_set() else self._runnable()

    def _runnable(self) -> Iterator[Step]:
        if self._halted:
            return
        for name, step in self._waiting.items():
            if self._branch_is_taken(name) and all(map(self._is_met, self._graph.dependencies(name))):
                yield step

    def _branch_is_taken(self, name: str) -> bool:
        branch = self._graph.branch(name)
        if branch is None:
            return True
        condition, outcome = branch
        end = self._ended.get(condition)
        if end is None or end.result is None:
            return False
        return bool(end.result.metadata["Condition"]["Outcome"] == str(outcome))

    def _is_met(self, dependency: Dependency) -> bool:
        end = self._ended.get(dependency.step)
        if end is None:
            return False
        wanted = SUCCEEDED if dependency.trigger == "Completed" else dependency.trigger
        return wanted in ("Any", end.status)

    def _run_step(self, step: Step) -> None:
        self._results.put((step, self._end_of(step)))

    def _end_of(self, step: Step) -> StepEnd:
        try:
            return StepEnd(SUCCEEDED, self._run_one(step))
        except StoppedByUser:
            return StepEnd(STOPPED)
        except StepFailure as failure:
            return StepEnd(FAILED, reason=str(failure))
        except Exception as error:
            logger.exception("Step %s ended by an error of the local SageMaker itself", step.name)
            return StepEnd(FAILED, reason=f"InternalServerError: {type(error).__name__}: {error}")

    def _finish(self, step: Step, end: StepEnd) -> None:
        self._ended[step.name] = end
        self._halted = self._halted or step.type == "Fail"
        self._listener.step_ended(step, end)

    def _status(self) -> str:
        stopped = any(end.status == STOPPED for end in self._ended.values())
        if stopped or (self._stop.is_set() and any(self._runnable())):
            return STOPPED
        failed = [name for name, end in self._ended.items() if end.status != SUCCEEDED]
        if not failed:
            return SUCCEEDED
        return COMPLETED_WITH_FAILURES if all(map(self._was_handled, failed)) else FAILED

    def _was_handled(self, failed: str) -> bool:
        return any(
            name in self._ended and dependency.step == failed and dependency.trigger != "Completed"
            for name in self._steps
            for dependency in self._graph.dependencies(name)
        )
