"""Models to be served, and endpoints whose processes are gone after a test."""

import io
import os
import signal
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.local.boto_session import LocalSession
from pipelines.local.database import STATE, Database
from pipelines.local.ownership import Ownership
from pipelines.local.session import session as local_session
from tests.local.documents import BUCKET, ROLE, XGBOOST

Json = dict[str, Any]

LIMIT_SECONDS = 60.0
# Answers with what it was sent; some bodies let it go wrong, each in its own way.
ECHO = """
import json, os

def model_fn(folder):
    return os.environ.get("ANSWER", "")

def transform_fn(model, body, content_type, accept):
    text = body if isinstance(body, str) else body.decode()
    if text == "mistake":
        raise ValueError("column 'age' is missing")
    if text == "bug":
        raise RuntimeError("no such thing")
    if text.startswith("long "):
        return "x" * int(text[5:]), "text/plain"
    return (model or json.dumps({"body": text, "type": content_type, "accept": accept})), "application/json"
"""


def archive(**files: str) -> bytes:
    """Return a model.tar.gz of an inference script and other files in its code folder."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as packed:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"code/{name}.py")
            entry.size = len(text)
            packed.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


class Hosting:
    """A root folder with models that echo, and clients of its services."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.session: LocalSession = local_session(root, region="us-east-1")
        self.sagemaker: Any = self.session.client("sagemaker")
        self.runtime: Any = self.session.client("sagemaker-runtime")

    def add_model(self, name: str, script: str = ECHO, **environment: str) -> str:
        """Create a model of a script and return its name; ANSWER is what it answers instead of an echo."""
        s3 = self.session.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=archive(inference=script))
        code = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        variables = {**code, "SAGEMAKER_MODEL_SERVER_WORKERS": "1", **environment}
        container = {"Image": XGBOOST, "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz", "Environment": variables}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        return name

    def add_config(self, name: str, *variants: Json, **more: Any) -> str:
        """Create an endpoint configuration, of one variant of the model `echo` unless given, and return its name."""
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=list(variants) or [variant()], **more
        )
        return name

    def add_endpoint(self, name: str, config: str, **more: Any) -> Json:
        """Create an endpoint, and return how it is described when it is settled."""
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **more)
        return self.settled(name)

    def settled(self, name: str) -> Json:
        """Wait until nothing is done to an endpoint any more, and return its description."""

        def is_settled() -> bool:
            return self.describe(name)["EndpointStatus"] in {"InService", "Failed"}

        wait_until(is_settled, f"endpoint {name} to settle")
        return self.describe(name)

    def describe(self, name: str) -> Json:
        """Describe an endpoint."""
        described: Json = self.sagemaker.describe_endpoint(EndpointName=name)
        return described

    def invoke(self, name: str, body: bytes, **more: Any) -> Json:
        """Invoke an endpoint, and return the response, its body read."""
        response = self.runtime.invoke_endpoint(EndpointName=name, Body=body, **more)
        return {**response, "Body": response["Body"].read()}

    def document(self, name: str) -> Json:
        """Return all that is written down of an endpoint."""
        found = self.session.sagemaker.machine.database.get("endpoint", name)
        assert found is not None
        return found

    def pid(self, name: str) -> int:
        """Return the process of an endpoint."""
        return int(self.document(name)["Owner"].partition("-")[0])


def variant(name: str = "primary", model: str = "echo", **more: Any) -> Json:
    """Return a production variant."""
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **more,
    }


@contextmanager
def hosting(root: Path) -> Iterator[Hosting]:
    """Yield a root with the model `echo`; afterwards no process of its endpoints is left."""
    made = Hosting(root)
    made.add_model("echo")
    try:
        yield made
    finally:
        made.session.close()
        end_processes(root)


def end_processes(root: Path) -> None:
    """Kill the processes of all endpoints of a root."""
    database, ownership = Database(root / STATE), Ownership(root / "owners")
    endpoints = database.list("endpoint")
    for endpoint in endpoints:
        database.delete("endpoint", endpoint["EndpointName"])
    owners = [endpoint["Owner"] for endpoint in endpoints if "Owner" in endpoint]
    for owner in filter(ownership.is_alive, owners):
        os.kill(int(owner.partition("-")[0]), signal.SIGKILL)
    wait_until(lambda: not any(map(ownership.is_alive, owners)), "the processes of endpoints to end")
    database.close()
    ownership.release()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Look until a condition holds, but not for ever."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.02)
