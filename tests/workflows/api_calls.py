"""What IAM is asked about an API call: actions, resources and the values that conditions look at."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.workflows.iam import Request

ACCOUNT = "000000000000"
# Members of a request that name its resources, and the ARN's part for them.
NAMED = {"ModelName": "model", "EndpointConfigName": "endpoint-config", "EndpointName": "endpoint"}
SELF_NAMED = ("ModelPackageName", "ModelPackageArn", "ResourceArn")
BUCKET_ACTIONS = {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket"}
OBJECT_ACTIONS = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}
# Whoever is somebody may ask who that is.
FREE = ("sts:GetCallerIdentity",)


@dataclass(frozen=True)
class Call:
    """An HTTP request as AWS gets it."""

    method: str
    path: str
    headers: "Message[str, str]"
    body: bytes

    @property
    def service(self) -> str:
        """The service that it is signed for."""
        return self.headers["Authorization"].partition("Credential=")[2].split("/")[3]

    @property
    def region(self) -> str:
        """The region that it is signed for."""
        return self.headers["Authorization"].partition("Credential=")[2].split("/")[2]


def questions(call: Call) -> Iterator[Request]:
    """Return all that must be allowed for a call to be."""
    target = call.headers.get("X-Amz-Target", "").rpartition(".")[2]
    if call.service == "s3":
        yield _of_s3(call)
    elif call.service == "sagemaker" and not target:
        endpoint = unquote(call.path.split("/")[2])
        yield Request("sagemaker:InvokeEndpoint", _arn(call, "endpoint", endpoint))
    elif call.service == "sagemaker":
        yield from _of_sagemaker(call, target, json.loads(call.body))
    elif call.service == "monitoring":
        yield from _of_cloudwatch(call, target, json.loads(call.body))
    else:
        action = target or parse_qs(call.body.decode())["Action"][0]
        yield Request(f"{call.service}:{action}", "*")


def _of_sagemaker(call: Call, action: str, body: Mapping[str, Any]) -> Iterator[Request]:
    named = [_arn(call, kind, body[member]) for member, kind in NAMED.items() if member in body]
    named += [body[member] for member in SELF_NAMED if member in body]
    cycle = body.get("ModelLifeCycle", {})
    said = {
        "sagemaker:ModelApprovalStatus": body.get("ModelApprovalStatus"),
        "sagemaker:ModelLifeCycle:Stage": cycle.get("Stage"),
        "sagemaker:ModelLifeCycle:StageStatus": cycle.get("StageStatus"),
    }
    context = {key: value for key, value in said.items() if value is not None}
    # A list is a list of everything.
    for resource in ["*"] if action.startswith("List") and action != "ListTags" else named or ["*"]:
        yield Request(f"sagemaker:{action}", resource, context)
        if body.get("Tags") and action.startswith("Create"):
            yield Request("sagemaker:AddTags", resource)
    for role in (body.get("ExecutionRoleArn"), body.get("RoleArn")):
        if role:
            yield Request("iam:PassRole", role, {"iam:PassedToService": "sagemaker.amazonaws.com"})


def _of_cloudwatch(call: Call, action: str, body: Mapping[str, Any]) -> Iterator[Request]:
    names = body.get("AlarmNames") or [body.get("AlarmName")]
    for name in names:
        arn = f"arn:aws:cloudwatch:{call.region}:{ACCOUNT}:alarm:{name}"
        yield Request(f"cloudwatch:{action}", arn if name else "*")


def _of_s3(call: Call) -> Request:
    bucket, _, key = unquote(urlsplit(call.path).path).lstrip("/").partition("/")
    if not bucket:
        return Request("s3:ListAllMyBuckets", "*")
    if key:
        return Request(f"s3:{OBJECT_ACTIONS[call.method]}", f"arn:aws:s3:::{bucket}/{key}")
    return Request(f"s3:{BUCKET_ACTIONS[call.method]}", f"arn:aws:s3:::{bucket}")


def _arn(call: Call, kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{call.region}:{ACCOUNT}:{kind}/{name.lower()}"
