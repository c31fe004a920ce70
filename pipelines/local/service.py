"""The SageMaker of this machine, put together from its parts."""

from pathlib import Path

from botocore.model import ServiceModel

from pipelines.local.api.sagemaker import operations
from pipelines.local.cache import Cache
from pipelines.local.containers.host import Host
from pipelines.local.database import STATE, Database
from pipelines.local.executions.executions import Executions
from pipelines.local.jobs.machine import Machine
from pipelines.local.ownership import Ownership
from pipelines.local.registry import Registry
from pipelines.local.store import Store


class SageMaker:
    """Everything below one root folder that answers SageMaker's operations, and runs what they start."""

    def __init__(self, root: Path, store: Store, model: ServiceModel, host: Host, *, region: str, account: str) -> None:
        self._ownership = Ownership(root / "owners")
        self._database = Database(root / STATE)
        self._machine = Machine(
            root=root,
            store=store,
            database=self._database,
            host=host,
            model=model,
            region=region,
            account=account,
        )
        registry = Registry(self._database, self._machine.arn)
        self._executions = Executions(self._machine, registry, Cache(self._database), self._ownership)
        self._executions.recover()
        self.operations = operations(self._machine, registry, self._executions)

    def cache_reasons(self, execution_arn: str) -> dict[str, str]:
        """Return why each step of an execution was reused, or was not."""
        reasons = {
            document["Step"]["StepName"]: document.get("CacheReason")
            for document in self._executions.records.steps(execution_arn)
        }
        return {name: reason for name, reason in reasons.items() if reason}

    def close(self) -> None:
        """Stop the executions that run here, and wait until they have ended."""
        self._executions.stop_all()
        self._database.close()
        self._ownership.release()
