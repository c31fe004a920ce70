"""An account of moto's with the roles of a project, which lets each one do what moto finds in its policy.

Outside of S3, moto asks whether a role may do something on everything, which policies for named things never allow.
So it is told here what requests are about. Conditions, and what else a request takes, such as the role that it passes,
it does not look at.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.authorization import enable_iam_authentication
from moto.logs.responses import LogsResponse
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from tests.iam.adoption import Roles
from tests.iam.calls import Call, questions
from tests.iam.evaluator import Request
from tests.workflows.account import REGION

S3_OPERATIONS = {"GET": "get_object", "HEAD": "head_object", "PUT": "put_object", "DELETE": "delete_object"}
CONFIG = Config(retries={"max_attempts": 0}, parameter_validation=False)


class MotoAccount:
    """Tells what moto says to a request when a role sends it."""

    def __init__(self, roles: Roles) -> None:
        self.admin = boto3.Session("admin", "admin", region_name=REGION)
        iam, sts = self.admin.client("iam"), self.admin.client("sts")
        self._sessions: dict[str, boto3.Session] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        for name in roles.names:
            made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(roles.trust(name)))
            # Without versions moto takes a document for one that is not understood.
            document = {"Version": "2012-10-17", **roles.permissions(name)}
            iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(document))
            given = sts.assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName="test")["Credentials"]
            self._sessions[name] = boto3.Session(
                given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=REGION
            )

    def answer(self, role: str, call: Call) -> str:
        """Return how moto answers: `done`, `not implemented`, `missing`, or an error's code."""
        question = next(questions(call))
        with _asked_about(question):
            try:
                self._send(role, call)
            except NotImplementedError:
                return "not implemented"
            except ClientError as error:
                return error.response["Error"]["Code"]
            except AttributeError:
                # Where moto does not expect that a thing may be missing; whether it is allowed it asks before.
                return "missing"
        return "done"

    def _send(self, role: str, call: Call) -> None:
        if call.service == "s3":
            self._send_to_s3(role, call)
        elif call.operation:
            self._client(role, call.service)._make_api_call(call.operation, call.document)
        else:
            runtime = self._client(role, "sagemaker-runtime")
            runtime.invoke_endpoint(EndpointName=call.path.split("/")[2], Body=call.body, ContentType="text/csv")

    def _client(self, role: str, service: str) -> Any:
        if (role, service) not in self._clients:
            session: Any = self._sessions[role]
            self._clients[role, service] = session.client(service, config=CONFIG)
        return self._clients[role, service]

    def _send_to_s3(self, role: str, call: Call) -> None:
        client = self._client(role, "s3")
        bucket, _, key = unquote(urlsplit(call.path).path).lstrip("/").partition("/")
        if not bucket:
            client.list_buckets()
        elif not key:
            (client.head_bucket if call.method == "HEAD" else client.list_objects_v2)(Bucket=bucket)
        else:
            content = {"Body": call.body} if call.method == "PUT" else {}
            getattr(client, S3_OPERATIONS[call.method])(Bucket=bucket, Key=key, **content)


@contextmanager
def moto_account(roles: Roles, bucket: str) -> Iterator[MotoAccount]:
    """Open an account with a bucket; roles are held to their policies from then on."""
    with mock_aws():
        account = MotoAccount(roles)
        account.admin.client("s3").create_bucket(Bucket=bucket)
        with enable_iam_authentication():
            yield account


@contextmanager
def _asked_about(question: Request) -> Iterator[None]:
    responses = (LogsResponse, SageMakerResponse, SageMakerRuntimeResponse)
    patches = [
        patch.object(each, "_determine_resource", lambda _: question.resource, create=True) for each in responses
    ]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()
