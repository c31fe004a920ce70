"""Every AWS service that this machine answers: one table, for clients in this process and for those on a port."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.model import ServiceModel

from pipelines.local.api.iam import Iam
from pipelines.local.api.s3 import S3
from pipelines.local.api.sts import Sts
from pipelines.local.api.wire import Answer, Request, Response, answer_json
from pipelines.local.containers.host import Host
from pipelines.local.database import STATE, Database
from pipelines.local.jobs.machine import Machine
from pipelines.local.service import SageMaker
from pipelines.local.store import Store

if TYPE_CHECKING:
    from pipelines.local.server import Server

ACCOUNT = "000000000000"


class Services:
    """The services of one root folder; each is put together when it is first asked for, by whichever thread.

    `answers` has them by the names that botocore has for them.
    """

    def __init__(self, root: Path, host: Host, load_model: Callable[[str], ServiceModel], *, region: str) -> None:
        self._root = root
        self._host = host
        self._load_model = load_model
        self._region = region
        self._store = Store(root / "s3")
        self._lock = threading.Lock()
        self._sagemaker: SageMaker | None = None
        self._server: Server | None = None
        self.answers: Mapping[str, Answer] = {
            "s3": S3(self._store, region=region, account=ACCOUNT).answer,
            "sagemaker": lambda request: answer_json(
                request, service="sagemaker", operations=self.sagemaker.operations
            ),
            "sagemaker-runtime": self._answer_runtime,
            "cloudwatch": self._answer_cloudwatch,
            "sts": Sts(ACCOUNT).answer,
            "iam": Iam(ACCOUNT).answer,
        }

    @property
    def sagemaker(self) -> SageMaker:
        """The SageMaker of this machine."""
        with self._lock:
            if self._sagemaker is None:
                self._sagemaker = SageMaker(self._machine())
            return self._sagemaker

    def _machine(self) -> Machine:
        return Machine(
            root=self._root,
            store=self._store,
            database=Database(self._root / STATE),
            host=self._host,
            model=self._load_model("sagemaker"),
            region=self._region,
            account=ACCOUNT,
            environment=self.environment,
        )

    def _answer_runtime(self, request: Request) -> Response:
        # Imported when it is called for: most runs deploy nothing.
        from pipelines.local.api.runtime import Runtime  # noqa: PLC0415

        return Runtime(self.sagemaker.machine, self.sagemaker.endpoints()).answer(request)

    def _answer_cloudwatch(self, request: Request) -> Response:
        # Imported when it is called for: most runs deploy nothing.
        from pipelines.local.api.cloudwatch import CloudWatch  # noqa: PLC0415

        return CloudWatch(self.sagemaker.machine, self._load_model("cloudwatch")).answer(request)

    def serve(self, port: int = 0) -> "Server":
        """Return the server of these services, started on a port, 0 for any, unless it runs already.

        Raises:
            LocalError: the port cannot be had.
        """
        # Imported when it is called for: a run that takes everything from its cache starts no job, and no server.
        from pipelines.local.server import Server  # noqa: PLC0415

        with self._lock:
            if self._server is None:
                self._server = Server(self.answers, port=port)
            return self._server

    def has_server(self) -> bool:
        """Tell whether a server was started."""
        return self._server is not None

    def environment(self) -> dict[str, str]:
        """Return the variables that lead AWS clients in other processes to these services, through the server."""
        return {
            "AWS_ENDPOINT_URL": self.serve().url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": self._region,
            "AWS_REGION": self._region,
        }

    def close(self) -> None:
        """Stop what runs in this process, and end everything that it started."""
        with self._lock:
            sagemaker, server = self._sagemaker, self._server
        # Not under the lock: what is being stopped may still ask.
        if sagemaker:
            sagemaker.close()
        if server:
            server.close()
        self._host.close()
