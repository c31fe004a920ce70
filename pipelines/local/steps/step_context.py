"""What a step is given to run with, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.local.cache import Cache
from pipelines.local.containers.stop import Stop
from pipelines.local.database import Document
from pipelines.local.jobs.machine import Machine
from pipelines.local.registry import Registry


@dataclass(frozen=True)
class StepContext:
    """One execution, as its steps see it.

    `announce` shows a step's metadata, and the reason why the cache did not have it, while the step still runs.
    """

    machine: Machine
    registry: Registry
    cache: Cache
    pipeline: str
    execution_arn: str
    stop: Stop
    announce: Callable[[str, Document, str], None]

    @property
    def execution_id(self) -> str:
        """The last part of the execution's ARN."""
        return self.execution_arn.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class StepResult:
    """A step's success: its metadata as the service shows it, and the execution whose result it reuses, if any."""

    metadata: Document
    cache_source: str | None = None
    cache_reason: str | None = None
