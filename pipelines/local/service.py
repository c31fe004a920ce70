"""The SageMaker of this machine, put together from its parts."""

import threading
from typing import TYPE_CHECKING

from pipelines.local.api.jobs import all_jobs
from pipelines.local.api.sagemaker import operations
from pipelines.local.cache import Cache
from pipelines.local.executions.executions import Executions
from pipelines.local.jobs.machine import Machine
from pipelines.local.ownership import Ownership
from pipelines.local.registry import Registry

if TYPE_CHECKING:
    from pipelines.local.hosting.endpoints import Endpoints


class SageMaker:
    """Everything that answers SageMaker's operations on a machine, and runs what they start; it closes its database."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._ownership = Ownership(machine.root / "owners")
        self._database = machine.database
        registry = Registry(self._database, machine.arn)
        self._executions = Executions(machine, registry, Cache(self._database), self._ownership)
        self._executions.recover()
        self._jobs = all_jobs(machine)
        self._lock = threading.Lock()
        self._endpoints: Endpoints | None = None
        self.operations = operations(machine, registry, self._executions, self._jobs, self.endpoints)

    def cache_reasons(self, execution_arn: str) -> dict[str, str]:
        """Return why each step of an execution was reused, or was not."""
        reasons = {
            document["Step"]["StepName"]: document.get("CacheReason")
            for document in self._executions.records.steps(execution_arn)
        }
        return {name: reason for name, reason in reasons.items() if reason}

    def endpoints(self) -> "Endpoints":
        """Return the endpoints of this machine."""
        # Imported when it is called for: most runs deploy nothing.
        from pipelines.local.hosting.endpoints import Endpoints  # noqa: PLC0415

        with self._lock:
            if self._endpoints is None:
                self._endpoints = Endpoints(self.machine, self._ownership)
            return self._endpoints

    def endpoint_url(self, name: str) -> str:
        """Return where an endpoint answers `POST /invocations`; its process is started anew if it has died.

        Raises:
            ServiceError: there is no such endpoint in service, or it does not answer.
        """
        return self.endpoints().running_url(name)

    def close(self) -> None:
        """Stop the executions and jobs that run here, and wait until they have ended; endpoints go on."""
        self._executions.stop_all()
        for jobs in self._jobs.values():
            jobs.stop_all()
        if self._endpoints:
            self._endpoints.close()
        self._database.close()
        self._ownership.release()
