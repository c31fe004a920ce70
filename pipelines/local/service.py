"""The SageMaker of this machine, put together from its parts."""

from pipelines.local.api.jobs import all_jobs
from pipelines.local.api.sagemaker import operations
from pipelines.local.cache import Cache
from pipelines.local.executions.executions import Executions
from pipelines.local.jobs.machine import Machine
from pipelines.local.ownership import Ownership
from pipelines.local.registry import Registry


class SageMaker:
    """Everything that answers SageMaker's operations on a machine, and runs what they start; it closes its database."""

    def __init__(self, machine: Machine) -> None:
        self._ownership = Ownership(machine.root / "owners")
        self._database = machine.database
        registry = Registry(self._database, machine.arn)
        self._executions = Executions(machine, registry, Cache(self._database), self._ownership)
        self._executions.recover()
        self._jobs = all_jobs(machine)
        self.operations = operations(machine, registry, self._executions, self._jobs)

    def cache_reasons(self, execution_arn: str) -> dict[str, str]:
        """Return why each step of an execution was reused, or was not."""
        reasons = {
            document["Step"]["StepName"]: document.get("CacheReason")
            for document in self._executions.records.steps(execution_arn)
        }
        return {name: reason for name, reason in reasons.items() if reason}

    def close(self) -> None:
        """Stop the executions and jobs that run here, and wait until they have ended."""
        self._executions.stop_all()
        for jobs in self._jobs.values():
            jobs.stop_all()
        self._database.close()
        self._ownership.release()
