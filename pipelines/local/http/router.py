"""Which service a request is for, which in AWS the host's name says."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qs

from pipelines.local.api.wire import JSON_TYPE, Answer, Request, Response, unanswered
from pipelines.local.api.xml_text import write_xml
from pipelines.local.errors import ServiceError

TARGET = "x-amz-target"
FORM = "application/x-www-form-urlencoded"
SCOPE = re.compile(r"[^/]+/\d{8}/[^/]+/(?P<service>[^/]+)/aws4_request")
CREDENTIAL = re.compile(r"Credential=(?P<scope>[^,\s]+)")
VERSIONS = {"2011-06-15": "sts", "2010-05-08": "iam"}
# By which names requests are signed for, or meant for, a service that botocore has another name for.
NAMES = {"monitoring": "cloudwatch", "GraniteServiceVersion20100801": "cloudwatch"}
ENDPOINTS = "/endpoints/"


def answer(services: Mapping[str, Answer], request: Request) -> Response:
    """Let the service that a request is for answer it.

    Raises:
        ServiceError: its body is too long, or incomplete.
    """
    name, request = _service(request)
    if name not in services:
        return refusal(unanswered(name, _operation(request)), request.headers)
    return services[name](request)


def refusal(error: ServiceError, headers: Mapping[str, str]) -> Response:
    """Return the response to a request that comes to no service, in a form that its client reads."""
    if TARGET in headers:
        content = json.dumps({"__type": error.code, "message": error.message}).encode()
        return Response(error.status, {"content-type": JSON_TYPE}, content)
    members = {"Code": error.code, "Message": error.message}
    content = write_xml("ErrorResponse", {"Error": members}) if _is_form(headers) else write_xml("Error", members)
    return Response(error.status, {"content-type": "application/xml", "x-amzn-errortype": error.code}, content)


def _service(request: Request) -> tuple[str, Request]:
    """Return a service's name, and the request, whose body may have been read for it."""
    if request.headers.get(TARGET, "").startswith("SageMaker."):
        return "sagemaker", request
    signed = CREDENTIAL.search(request.headers.get("authorization", ""))
    scope = SCOPE.fullmatch(signed["scope"] if signed else request.query.get("X-Amz-Credential", ""))
    if scope and scope["service"] == "sagemaker" and request.path.startswith(ENDPOINTS):
        return "sagemaker-runtime", request
    name = scope["service"] if scope else request.headers.get(TARGET, "").partition(".")[0]
    if name:
        return NAMES.get(name, name), request
    if request.method == "POST" and _is_form(request.headers):
        content = request.content()
        version = parse_qs(content.decode(errors="replace")).get("Version", [""])[0]
        body = replace(request, body=io.BytesIO(content))
        return VERSIONS.get(version, "s3"), body
    return "s3", request


def _is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith(FORM)


def _operation(request: Request) -> str:
    return request.headers.get(TARGET, "").rpartition(".")[2] or f"{request.method} {request.path}"
