"""A model's container on this machine: it answers HTTP requests on a unix socket."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pipelines.local.containers.host import Host
from pipelines.local.errors import LocalError
from pipelines.local.serving.models import HostedModel
from pipelines.local.store import Store

NOTHING: Mapping[str, str] = MappingProxyType({})


class ServingError(LocalError):
    """A model that cannot be served; the message is one line with the reason."""


class ModelServer:
    """Serves one model: GET /ping, POST /invocations and GET /execution-parameters, by several workers.

    `folder` is its own while it runs, `log` gets all that it prints. `environment` wins over the model's own
    variables; SAGEMAKER_MODEL_SERVER_WORKERS among them is how many workers there are. Workers that die are replaced by the container itself; `is_alive` tells whether that still runs.
    """

    def __init__(
        self,
        store: Store,
        host: Host,
        model: HostedModel,
        *,
        folder: Path,
        log: Path,
        environment: Mapping[str, str] = NOTHING,
    ) -> None:
        self.socket = folder / "socket"

    def start(self, limit: float = 60.0) -> None:
        """Start the container, and wait until it answers /ping.

        Raises:
            ServingError: it does not; nothing is left of it but its log.
        """
        raise NotImplementedError

    def is_alive(self) -> bool:
        """Tell whether the container runs."""
        raise NotImplementedError

    def stop(self) -> None:
        """Let the requests in flight finish, for as long as the host's grace, and end the container."""
        raise NotImplementedError
