"""What the tests of deployments need: other models of a registered package, and clients that never stop asking."""

import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.fraud.settings import MODEL_PACKAGE_GROUP_NAME
from pipelines.local.session import session

GROUP = MODEL_PACKAGE_GROUP_NAME
LIMIT_SECONDS = 30.0
CLIENTS = 3

Files = dict[str, bytes]


class Registry:
    """The model packages of a root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def versions(self) -> list[dict[str, Any]]:
        """Return the packages in full, oldest first."""
        with session(self.root) as opened:
            client = opened.client("sagemaker")
            listed = client.list_model_packages(ModelPackageGroupName=GROUP, SortOrder="Ascending")
            arns = [one["ModelPackageArn"] for one in listed["ModelPackageSummaryList"]]
            return [dict(client.describe_model_package(ModelPackageName=arn)) for arn in arns]

    def register_changed(self, package: dict[str, Any], change: Callable[[Files], None], **properties: str) -> int:
        """Register a package like another one whose model's files were changed, and return its version."""
        container = package["InferenceSpecification"]["Containers"][0]
        uri = container["ModelDataUrl"].replace("model.tar.gz", f"changed-{change.__name__}/model.tar.gz")
        write_model(self._path(uri), changed(read_model(self._path(container["ModelDataUrl"])), change))
        kept = {name: container[name] for name in ("Image", "Environment") if name in container}
        specification: Any = {
            **package["InferenceSpecification"],
            "Containers": [{**kept, "ModelDataUrl": uri}],
        }
        with session(self.root) as opened:
            client = opened.client("sagemaker")
            made = client.create_model_package(
                ModelPackageGroupName=GROUP,
                InferenceSpecification=specification,
                ModelMetrics=package["ModelMetrics"],
                CustomerMetadataProperties={**package["CustomerMetadataProperties"], **properties},
            )
        return int(made["ModelPackageArn"].rsplit("/", 1)[1])

    def read(self, uri: str) -> bytes:
        """Return an object of the root's S3."""
        return self._path(uri).read_bytes()

    def _path(self, uri: str) -> Path:
        return self.root / "s3" / uri.removeprefix("s3://")


def read_model(archive: Path) -> Files:
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        return {member.name: file.read() for member in members if (file := tar.extractfile(member))}


def write_model(archive: Path, files: Files) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def changed(files: Files, change: Callable[[Files], None]) -> Files:
    copy = dict(files)
    change(copy)
    return copy


def raising_inference(files: Files) -> None:
    """Let every prediction fail."""
    files["code/inference.py"] += (
        b'\n\ndef transform_fn(model, body, content_type, accept):\n    raise RuntimeError("out of order")\n'
    )


def hanging_inference(files: Files) -> None:
    """Let no prediction ever end."""
    files["code/inference.py"] += (
        b"\n\ndef transform_fn(model, body, content_type, accept):\n    while True:\n        pass\n"
    )


def inverted_inference(files: Files) -> None:
    """Let every probability be that of the contrary: the answers look right, and are not."""
    files["code/inference.py"] += (
        b"\n\n_straight = Model.predict\nModel.predict = lambda self, matrix: 1 - _straight(self, matrix)\n"
    )


class Load:
    """Clients that post one row again and again, with connections that are kept, and what came back."""

    def __init__(self, url: str, body: bytes) -> None:
        self._address = urlsplit(url).netloc
        self._body = body
        self._lock = threading.Lock()
        self._enough = threading.Event()
        self.answers: dict[tuple[int, str], int] = {}
        self.problems: list[str] = []

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Send while the context lasts."""
        threads = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._enough.set()
            for thread in threads:
                thread.join()

    @property
    def count(self) -> int:
        """How many requests were answered."""
        return sum(self.answers.values())

    @property
    def statuses(self) -> set[int]:
        """The statuses of the answers."""
        return {status for status, _ in self.answers}

    def _send(self) -> None:
        connection = HTTPConnection(self._address, timeout=LIMIT_SECONDS)
        while not self._enough.is_set():
            try:
                connection.request("POST", "/invocations", self._body, {"content-type": "text/csv"})
                response = connection.getresponse()
                answer = (response.status, response.read().decode())
            except OSError as error:
                with self._lock:
                    self.problems.append(repr(error))
                return
            with self._lock:
                self.answers[answer] = self.answers.get(answer, 0) + 1
        connection.close()


def predict(root: Path, endpoint: str, *bodies: bytes) -> list[str]:
    """Ask an endpoint through the runtime's API, for CSV, body after body."""
    with session(root) as opened:
        runtime = opened.client("sagemaker-runtime")
        answers = [
            runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="text/csv", Accept="text/csv")
            for body in bodies
        ]
        return [answer["Body"].read().decode() for answer in answers]


def serving(root: Path, endpoint: str) -> tuple[str, str]:
    """Return an endpoint's status and the name of its config."""
    with session(root) as opened:
        described = opened.client("sagemaker").describe_endpoint(EndpointName=endpoint)
        return described["EndpointStatus"], described["EndpointConfigName"]


def url_of(root: Path, endpoint: str) -> str:
    """Return where an endpoint listens."""
    with session(root) as opened:
        return opened.sagemaker.endpoint_url(endpoint)
