"""The sagemaker-runtime service, REST and JSON: requests to endpoints."""

import json
import re
from collections.abc import Mapping

from pipelines.local.api.wire import Request, Response, request_id, unanswered
from pipelines.local.database import Document
from pipelines.local.errors import ServiceError
from pipelines.local.hosting.connections import Reply
from pipelines.local.hosting.endpoints import Endpoints
from pipelines.local.jobs.machine import Machine

SERVICE = "sagemaker-runtime"
PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/(?P<operation>[a-z-]+)")
OPERATIONS = {
    "invocations": "InvokeEndpoint",
    "async-invocations": "InvokeEndpointAsync",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
}
MAX_BODY_BYTES = 6 << 20
PREFIX = "x-amzn-sagemaker-"
FORWARDED = ("content-type", "accept", f"{PREFIX}custom-attributes", f"{PREFIX}inference-id", f"{PREFIX}target-variant")
VARIANT = "x-amzn-invoked-production-variant"
RETURNED = ("content-type", f"{PREFIX}custom-attributes", VARIANT)
REFUSED = {
    f"{PREFIX}target-model": "TargetModel",
    f"{PREFIX}target-container-hostname": "TargetContainerHostname",
    f"{PREFIX}inference-component": "InferenceComponentName",
    f"{PREFIX}enable-explanations": "EnableExplanations",
    f"{PREFIX}session-id": "SessionId",
}
# What the endpoint's process refuses by itself has this, and no variant.
ERROR_TYPE = "x-amzn-errortype"
NO_DETAILS: Document = {}


class ModelError(ServiceError):
    """A request that a model's container did not answer with success; `details` are the members of the service's."""

    def __init__(self, message: str, details: Document) -> None:
        super().__init__("ModelError", message, status=424)
        self.details = details


class Runtime:
    """What answers InvokeEndpoint: each request goes to the endpoint's process, and its reply comes back."""

    def __init__(self, machine: Machine, endpoints: Endpoints) -> None:
        self._machine = machine
        self._endpoints = endpoints

    def answer(self, request: Request) -> Response:
        """Answer a request of the REST protocol."""
        try:
            path = PATH.fullmatch(request.path)
            operation = OPERATIONS.get(path["operation"]) if path else None
            if path is None or operation != "InvokeEndpoint" or request.method != "POST":
                raise unanswered(SERVICE, operation or f"{request.method} {request.path}")
            return self._invoke(path["name"], request)
        except ModelError as error:
            return _refusal(error, error.details)
        except ServiceError as error:
            return _refusal(error)

    def _invoke(self, name: str, request: Request) -> Response:
        for header, member in REFUSED.items():
            if header in request.headers:
                message = f"{member} is given, which this machine does not do yet; leave it out."
                raise ServiceError("ValidationError", message)
        headers = {header: request.headers[header] for header in FORWARDED if header in request.headers}
        body = _body(request)
        try:
            reply = self._endpoints.invoke(name, headers, body, MAX_BODY_BYTES + 1)
        except TimeoutError as error:
            message = "Your invocation timed out while waiting for a response from container primary."
            raise self._model_error(name, message, 0, "") from error
        return self._response(name, reply)

    def _response(self, name: str, reply: Reply) -> Response:
        if not 200 <= reply.status < 300:
            raise self._error(name, reply)
        if len(reply.body) > MAX_BODY_BYTES:
            message = "Received server error (0) from primary and could not load the entire response body."
            raise self._model_error(name, message, 0, "")
        headers = {header: reply.headers[header] for header in RETURNED if header in reply.headers}
        return Response(200, {**headers, "x-amzn-requestid": request_id()}, reply.body)

    def _error(self, name: str, reply: Reply) -> ServiceError:
        text = reply.body.decode(errors="replace")
        side = "client" if 400 <= reply.status < 500 else "server"
        if ERROR_TYPE in reply.headers and VARIANT not in reply.headers and side == "client":
            return ServiceError(reply.headers[ERROR_TYPE], text.strip(), status=reply.status)
        message = f'Received {side} error ({reply.status}) from primary with message "{text.strip()}".'
        return self._model_error(name, message, reply.status, text)

    def _model_error(self, name: str, message: str, status: int, text: str) -> ModelError:
        group = f"/aws/sagemaker/Endpoints/{name}"
        see = f"See {self._machine.root / 'logs'}{group} for more information."
        arn = f"arn:aws:logs:{self._machine.region}:{self._machine.account}:log-group:{group}"
        details = {"OriginalStatusCode": status, "OriginalMessage": text, "LogStreamArn": arn}
        return ModelError(f"{message} {see}", details)


def _body(request: Request) -> bytes:
    """Return the body of a request.

    Raises:
        ServiceError: it is too long; the service gives that no code but the status.
    """
    too_long = ServiceError("413", f"HTTP content length exceeded {MAX_BODY_BYTES} bytes.", status=413)
    if int(request.headers.get("content-length", "0")) > MAX_BODY_BYTES:
        raise too_long
    body = request.content()
    if len(body) > MAX_BODY_BYTES:
        raise too_long
    return body


def _refusal(error: ServiceError, details: Mapping[str, object] = NO_DETAILS) -> Response:
    content = json.dumps({"Message": error.message, **details}).encode()
    headers = {"content-type": "application/json", ERROR_TYPE: error.code, "x-amzn-requestid": request_id()}
    return Response(error.status, headers, content)
