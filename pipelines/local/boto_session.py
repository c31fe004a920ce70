"""A boto3.Session whose clients are answered by this machine."""

import io
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from pipelines.local.api.wire import Answer, Request, unanswered
from pipelines.local.containers.host import Host
from pipelines.local.errors import LocalError
from pipelines.local.service import SageMaker
from pipelines.local.services import ACCOUNT, Services

FOLDERS = ("s3", "tmp", "logs", "jobs")


class LocalSession(boto3.Session):
    """A boto3 session that keeps everything below a root folder and never goes to the network.

    Its clients are botocore's own; their requests end in this process. The user's AWS profiles, credentials and
    endpoints do not count.
    """

    def __init__(self, root: Path, region: str, host: Host) -> None:
        self.root = _usable(root)
        core = _botocore_session(region)
        self.services = Services(self.root, host, core.get_service_model, region=region)
        core.get_component("event_emitter").register_first("before-send", partial(_answer, self.services.answers))
        super().__init__(botocore_session=core)

    @property
    def sagemaker(self) -> SageMaker:
        """The SageMaker of this machine."""
        return self.services.sagemaker

    def __enter__(self) -> Self:
        """Return the session, to be closed when the context is left."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the executions and jobs that run in this process, and end everything that they started."""
        self.services.close()


def _answer(services: Mapping[str, Answer], event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    """Answer a request that botocore is about to send, so that it is not sent."""
    service, operation = event_name.split(".", 2)[1:]
    if service not in services:
        error = unanswered(service, operation)
        details: Any = {"Error": {"Code": error.code, "Message": error.message}}
        raise ClientError(details | {"ResponseMetadata": {"HTTPStatusCode": error.status}}, operation)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    response = services[service](Request(request.method, request.url, headers, _readable(request.body)))
    answered: Any = response.headers  # The stubs ask for another class than botocore does.
    return AWSResponse(request.url, response.status, answered, response.raw())


def _botocore_session(region: str) -> botocore.session.Session:
    """Return a botocore session that has its own credentials and reads no files of the user's."""
    nothing = (None, None, None, None)
    no_file = (None, None, os.devnull, None)
    core = botocore.session.Session({"profile": nothing, "config_file": no_file, "credentials_file": no_file})
    core.set_config_variable("region", region)
    core.set_credentials("local", "local", account_id=ACCOUNT)
    # Nothing is lost on the way, so bodies are not hashed for it. The stubs do not know all of these.
    options: dict[str, Any] = {
        "ignore_configured_endpoint_urls": True,
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        "s3": {"payload_signing_enabled": False},
    }
    core.set_default_client_config(Config(**options))
    return core


def _usable(root: Path) -> Path:
    try:
        # It holds what its user alone may read: data, models and logs.
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in FOLDERS:
            (root / name).mkdir(parents=True, exist_ok=True)
        problem = None if os.access(root, os.W_OK | os.X_OK) else "this user may not write there"
    except FileExistsError as error:
        problem = f"{error.filename} is a file"
    except OSError as error:
        problem = f"{error.strerror} ({error.filename})"
    if problem:
        raise LocalError(f"cannot keep the local SageMaker in {root}: {problem}; choose another root folder")
    return root.resolve()


def _readable(body: Any) -> Any:
    if isinstance(body, str):
        return io.BytesIO(body.encode())
    return io.BytesIO(body or b"") if body is None or isinstance(body, bytes | bytearray) else body


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
