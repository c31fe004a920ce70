"""An endpoint's process: `python -m pipelines.local.hosting.process ROOT ENDPOINT-NAME`.

It is started detached, once for an endpoint; a second one ends at once. It serves what the endpoint's document says
was served, carries out what the document wants, and ends when the endpoint is deleted or its root folder is gone.
What happens is written to its standard error, a line for each change.
"""

import logging
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from pipelines.local.containers.files import remove_tree
from pipelines.local.containers.host import Host
from pipelines.local.database import STATE, Database, Document
from pipelines.local.hosting.alarms import Alarms
from pipelines.local.hosting.documents import Record
from pipelines.local.hosting.gateway import Gateway
from pipelines.local.hosting.listener import ADDRESS, listen
from pipelines.local.hosting.logs import keep_short, log_of
from pipelines.local.hosting.metrics import Metrics
from pipelines.local.hosting.rollout import Scene
from pipelines.local.hosting.starter import lock_of
from pipelines.local.hosting.supervisor import Supervisor
from pipelines.local.hosting.variant import Serve
from pipelines.local.ownership import Ownership
from pipelines.local.serving.model_server import ModelServer
from pipelines.local.serving.models import hosted_model
from pipelines.local.store import Store

logger = logging.getLogger(__name__)

LOG_FORMAT = "%(asctime)s %(message)s"


class Models:
    """Gives a production variant of an endpoint its model server, in a folder of its own."""

    def __init__(self, root: Path, name: str, database: Database, host: Host) -> None:
        self._folder = folder_of(root, name)
        self._log = log_of(root, name)
        self._store = Store(root / "s3")
        self._database = database
        self._host = host

    def serve(self, variant: Document) -> ModelServer:
        """Return the model server of a variant, to be started.

        Raises:
            ServiceError: there is no such model, or this machine cannot serve it.
        """
        name = variant["VariantName"]
        folder = self._folder / f"{name}-{secrets.token_hex(4)}"
        log = self._log.with_name(f"{name}.log")
        return ModelServer(
            self._store, self._host, hosted_model(self._database, variant["ModelName"]), folder=folder, log=log
        )

    def remove_leftovers(self) -> None:
        """Remove what a process that was killed has left."""
        remove_tree(self._folder)


def folder_of(root: Path, name: str) -> Path:
    """Return where the model servers of an endpoint have their folders."""
    return root / "jobs" / "Endpoints" / name


def run(root: Path, name: str, serve: Callable[[Database, Host], Serve]) -> None:
    """Be the process of an endpoint, unless another one is."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ownership = Ownership(root / "owners")
    with closing(Database(root / STATE)) as database, closing(Host()) as host:
        record = Record(database, name, ownership)
        if record.claim():
            host.start()
            cutting = threading.Thread(target=keep_short, args=(log_of(root, name).parent, stop), daemon=True)
            cutting.start()
            _work(record, database, serve(database, host), stop, root / STATE)
            remove_tree(folder_of(root, name))
            lock_of(root, name).unlink(missing_ok=True)
    ownership.release()


def _work(record: Record, database: Database, serve: Serve, stop: threading.Event, state: Path) -> None:
    metrics = Metrics(time.time)
    gateway = Gateway(listen((record.read() or {}).get("Url")), metrics)
    scene = Scene(record, gateway, metrics, Alarms(database, record.name, metrics))
    supervisor = Supervisor(scene, serve, time.time)
    gateway.start()
    url = f"http://{ADDRESS}:{gateway.port}"
    record.change(Url=url)
    logger.info("endpoint: at %s", url)
    try:
        supervisor.run(stop, state)
    finally:
        gateway.close()
        supervisor.stop()
        logger.info("endpoint: the process ends")


def main(arguments: list[str]) -> int:
    """Serve an endpoint of a root folder until it is deleted."""
    logging.basicConfig(format=LOG_FORMAT, level=logging.INFO)
    root, name = Path(arguments[0]).absolute(), arguments[1]
    if not (root / STATE).exists():
        sys.stderr.write(f"{root} is no root folder of a local SageMaker\n")
        return 1

    def serve(database: Database, host: Host) -> Serve:
        models = Models(root, name, database, host)
        models.remove_leftovers()
        return models.serve

    run(root, name, serve)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
