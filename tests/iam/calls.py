"""What IAM is asked about an API call: actions, resources and the values that conditions look at."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.iam.evaluator import Request
from tests.iam.reference import action

ACCOUNT = "000000000000"
# Members of SageMaker's requests that name resources, and the ARN's part for them; some have ARNs in them.
NAMED = {
    "EndpointConfigName": "endpoint-config",
    "EndpointName": "endpoint",
    "HyperParameterTuningJobName": "hyper-parameter-tuning-job",
    "ModelName": "model",
    "ModelPackageArn": "model-package",
    "ModelPackageGroupName": "model-package-group",
    "ModelPackageName": "model-package",
    "PipelineExecutionArn": "pipeline",
    "PipelineName": "pipeline",
    "ProcessingJobName": "processing-job",
    "ResourceArn": "",
    "TrainingJobName": "training-job",
}
BUCKET_ACTIONS = {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket"}
OBJECT_ACTIONS = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}
# What does not make another action of a request to S3; any other parameter or header might.
S3_PARAMETERS = {"continuation-token", "delimiter", "encoding-type", "list-type", "max-keys", "partNumber", "prefix"}
S3_PARAMETERS |= {"uploadId", "uploads", "x-id"}
S3_HEADERS = ("x-amz-acl", "x-amz-copy-source", "x-amz-grant", "x-amz-object-lock", "x-amz-tagging")
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

    @property
    def operation(self) -> str:
        """The operation's name, unless method and path say what it is."""
        return self.headers.get("X-Amz-Target", "").rpartition(".")[2]

    @property
    def document(self) -> dict[str, Any]:
        """The body's members."""
        members: dict[str, Any] = json.loads(self.body)
        return members


def questions(call: Call, *, key: str | None = None) -> Iterator[Request]:
    """Return all that must be allowed for a call to be; `key` is the ARN of the one that buckets are encrypted by."""
    if call.service == "s3":
        yield from _of_s3(call, key)
    elif call.service == "sagemaker" and not call.operation:
        yield Request("sagemaker:InvokeEndpoint", _arn(call, "endpoint", unquote(call.path.split("/")[2])))
    elif call.service == "sagemaker":
        yield from _of_sagemaker(call)
    elif call.service == "monitoring":
        # Alarms that are asked for by their names are still a list.
        name = call.document["AlarmName"] if call.operation == "PutMetricAlarm" else "*"
        arn = f"arn:aws:cloudwatch:{call.region}:{ACCOUNT}:alarm:{name}"
        yield Request(f"cloudwatch:{call.operation}", arn)
    elif call.service == "logs":
        stream = call.document.get("logStreamName", "")
        group = f"arn:aws:logs:{call.region}:{ACCOUNT}:log-group:{call.document['logGroupName']}"
        yield Request(f"logs:{call.operation}", f"{group}:log-stream:{stream}")
    else:
        yield Request(f"{call.service}:{call.operation or parse_qs(call.body.decode())['Action'][0]}", "*")


def _of_sagemaker(call: Call) -> Iterator[Request]:
    asked, body = action(f"sagemaker:{call.operation}"), call.document
    context = _said(body)
    named = [_arn(call, kind, body[member]) for member, kind in NAMED.items() if member in body]
    resources = [(arn, kind) for arn in named if (kind := asked.type_of(arn))]
    if missing := asked.required - {kind.name for _, kind in resources}:
        raise ValueError(f"{asked.name}: which member of {sorted(body)} names the {missing}?")
    for arn, kind in resources:
        yield Request(asked.name, arn, context)
        if body.get("Tags") and "sagemaker:AddTags" in kind.dependents:
            yield Request("sagemaker:AddTags", arn)
    if not resources:
        yield Request(asked.name, "*", context)
    for role in (body.get("ExecutionRoleArn"), body.get("RoleArn")):
        if role:
            yield Request("iam:PassRole", role, {"iam:PassedToService": "sagemaker.amazonaws.com"})
    if key := body.get("KmsKeyId"):
        # For the service, which attaches the volumes.
        yield Request("kms:CreateGrant", key, {"kms:GrantIsForAWSResource": "true"})
        yield Request("kms:DescribeKey", key)


def _said(body: Mapping[str, Any]) -> dict[str, str]:
    cycle = body.get("ModelLifeCycle", {})
    said = {
        "sagemaker:ModelApprovalStatus": body.get("ModelApprovalStatus"),
        "sagemaker:ModelLifeCycle:Stage": cycle.get("Stage"),
        "sagemaker:ModelLifeCycle:StageStatus": cycle.get("StageStatus"),
    }
    return {name: value for name, value in said.items() if value is not None}


def _of_s3(call: Call, encrypted_by: str | None) -> Iterator[Request]:
    url = urlsplit(call.path)
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    parameters = parse_qs(url.query, keep_blank_values=True)
    if other := set(parameters) - S3_PARAMETERS | {
        name for name in call.headers if name.lower().startswith(S3_HEADERS)
    }:
        raise ValueError(f"{call.method} {call.path}: which action is it with {other}?")
    if not bucket:
        yield Request("s3:ListAllMyBuckets", "*")
        return
    name = OBJECT_ACTIONS[call.method] if key else BUCKET_ACTIONS[call.method]
    yield Request(f"s3:{name}", f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}")
    if encrypted_by and name == "GetObject":
        yield Request("kms:Decrypt", encrypted_by)
    if encrypted_by and name == "PutObject":
        yield Request("kms:GenerateDataKey", encrypted_by)
        # The parts of a large object are read again to be put together.
        if set(parameters) & {"uploadId", "uploads"}:
            yield Request("kms:Decrypt", encrypted_by)


def _arn(call: Call, kind: str, name: str) -> str:
    # SageMaker has lower case in its ARNs.
    return name if name.startswith("arn:") else f"arn:aws:sagemaker:{call.region}:{ACCOUNT}:{kind}/{name.lower()}"
