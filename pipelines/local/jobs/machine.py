"""What every job needs of this machine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.model import ServiceModel

from pipelines.local.containers.host import Host
from pipelines.local.database import Database
from pipelines.local.store import Store


@dataclass(frozen=True)
class Machine:
    """The parts of this machine that jobs use; `model` is botocore's model of the SageMaker service.

    `environment` gives the variables that lead a job's own AWS clients to this machine.
    """

    root: Path
    store: Store
    database: Database
    host: Host
    model: ServiceModel
    region: str
    account: str
    environment: Callable[[], Mapping[str, str]] = dict

    def arn(self, resource: str) -> str:
        """Return the ARN of a resource such as `training-job/<name>`."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource}"
