"""Models made of a few files, their servers, and requests to these."""

import http.client
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from pipelines.local.containers.archives import pack
from pipelines.local.containers.host import Host
from pipelines.local.serving.model_server import NOTHING, ModelServer
from pipelines.local.serving.models import HostedModel
from pipelines.local.store import Store

BUCKET = "models"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2"
SCRIPT = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
# Answers with what `data` is as an expression of Python.
CALCULATOR = """
    import os, sys, time
    from pathlib import Path

    def model_fn(model_dir):
        return Path(model_dir)

    def transform_fn(model, data, content_type, accept):
        return str(eval(data, globals() | {"model": model}))
"""


@dataclass(frozen=True)
class Reply:
    """A response: its status, media type and body."""

    status: int
    kind: str | None
    text: str
    closes: bool = False


class Client(http.client.HTTPConnection):
    """A connection to a server on a unix socket, kept from request to request."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))

    def get(self, path: str) -> Reply:
        self.request("GET", path)
        return self.reply()

    def post(self, body: str | bytes, kind: str = "text/csv", accept: str | None = None) -> Reply:
        content = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": kind} if kind else {}
        self.request("POST", "/invocations", content, headers | ({"Accept": accept} if accept else {}))
        return self.reply()

    def reply(self) -> Reply:
        with self.getresponse() as response:
            closes = response.will_close
            return Reply(response.status, response.headers["Content-Type"], response.read().decode(), closes)


def get(server: ModelServer, path: str) -> Reply:
    """Send one request on a connection of its own."""
    with closing(Client(server.socket)) as client:
        return client.get(path)


def post(server: ModelServer, body: str | bytes, kind: str = "text/csv", accept: str | None = None) -> Reply:
    """Send one request on a connection of its own."""
    with closing(Client(server.socket)) as client:
        return client.post(body, kind, accept)


class Serve:
    """Makes servers of models; calling it makes one and starts it."""

    def __init__(self, folder: Path, store: Store, host: Host) -> None:
        self.folder = folder
        self.log = folder / "log"
        self._store = store
        self._host = host
        self._servers: list[ModelServer] = []

    def archive(self, files: Mapping[str, str | bytes]) -> str:
        """Upload a model of files, and return its URI."""
        source = self.folder / f"source-{len(self._servers)}"
        for name, content in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
        source.mkdir(exist_ok=True)
        pack(source, self.folder / "model.tar.gz")
        self._store.put(BUCKET, f"{source.name}/model.tar.gz", self.folder / "model.tar.gz")
        return f"s3://{BUCKET}/{source.name}/model.tar.gz"

    def make(
        self, data: str | None, environment: Mapping[str, str] = SCRIPT, image: str = XGBOOST, host: Host | None = None
    ) -> ModelServer:
        """Make a server of a model, which is to be started."""
        model = HostedModel("fraud", image, data, environment)
        folder = self.folder / "root" / "servers" / str(len(self._servers))
        server = ModelServer(self._store, host or self._host, model, folder=folder, log=self.log)
        self._servers.append(server)
        return server

    def __call__(
        self,
        program: str,
        environment: Mapping[str, str] = NOTHING,
        *,
        image: str = XGBOOST,
        host: Host | None = None,
    ) -> ModelServer:
        """Start a server of a program, with some more variables."""
        data = self.archive({"code/inference.py": program})
        server = self.make(data, {**SCRIPT, **environment}, image, host)
        server.start()
        return server

    def left(self) -> list[Path]:
        """Return what the servers have in their folders."""
        folder = self.folder / "root" / "servers"
        return list(folder.iterdir()) if folder.exists() else []

    def stop_all(self) -> None:
        """Stop what was started."""
        for server in self._servers:
            server.stop()
