"""A request to AWS asks IAM what the service authorization reference says."""

import json
from email.message import Message
from typing import Any

import pytest

from tests.iam.calls import Call, questions

PLACE = "arn:aws:sagemaker:us-east-1:000000000000"
KEY = "arn:aws:kms:us-east-1:000000000000:key/1"
ROLE = "arn:aws:iam::000000000000:role/endpoint"


def call(service: str, method: str = "POST", path: str = "/", *, operation: str = "", **body: Any) -> Call:
    headers: Message[str, str] = Message()
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential=AK/20261122/us-east-1/{service}/aws4_request"
    if operation:
        headers["X-Amz-Target"] = f"Service.{operation}"
    return Call(method, path, headers, json.dumps(body).encode())


def asked(request: Call, key: str | None = None) -> list[tuple[str, str]]:
    return [(question.action, question.resource) for question in questions(request, key=key)]


def test_an_endpoint_is_made_of_its_config_and_with_its_tags() -> None:
    request = call("sagemaker", operation="CreateEndpoint", EndpointName="A", EndpointConfigName="b", Tags=[{}])
    assert set(asked(request)) == {
        ("sagemaker:CreateEndpoint", f"{PLACE}:endpoint/a"),
        ("sagemaker:AddTags", f"{PLACE}:endpoint/a"),
        ("sagemaker:CreateEndpoint", f"{PLACE}:endpoint-config/b"),
    }


def test_a_role_and_a_key_that_a_request_names_are_asked_for() -> None:
    made = call("sagemaker", operation="CreateModel", ModelName="m", ExecutionRoleArn=ROLE)
    assert ("iam:PassRole", ROLE) in asked(made)
    config = call("sagemaker", operation="CreateEndpointConfig", EndpointConfigName="c", KmsKeyId=KEY)
    assert {("kms:CreateGrant", KEY), ("kms:DescribeKey", KEY)} < set(asked(config))


def test_what_is_said_of_a_model_is_for_conditions_to_look_at() -> None:
    cycle = {"Stage": "staging", "StageStatus": "Deployed"}
    package = f"{PLACE}:model-package/g/1"
    request = call("sagemaker", operation="UpdateModelPackage", ModelPackageArn=package, ModelLifeCycle=cycle)
    (question,) = questions(request)
    assert question.context == {
        "sagemaker:ModelLifeCycle:Stage": "staging",
        "sagemaker:ModelLifeCycle:StageStatus": "Deployed",
    }


def test_a_list_of_packages_is_asked_for_without_a_resource() -> None:
    request = call("sagemaker", operation="ListModelPackages", ModelPackageGroupName="g")
    assert asked(request) == [("sagemaker:ListModelPackages", "*")]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", [("s3:ListAllMyBuckets", "*")]),
        ("HEAD", "/data", [("s3:ListBucket", "arn:aws:s3:::data")]),
        ("GET", "/data?list-type=2&prefix=a", [("s3:ListBucket", "arn:aws:s3:::data")]),
        ("GET", "/data/a%20b", [("s3:GetObject", "arn:aws:s3:::data/a b"), ("kms:Decrypt", KEY)]),
        ("PUT", "/data/a", [("s3:PutObject", "arn:aws:s3:::data/a"), ("kms:GenerateDataKey", KEY)]),
        (
            "POST",
            "/data/a?uploads",
            [("s3:PutObject", "arn:aws:s3:::data/a"), ("kms:GenerateDataKey", KEY), ("kms:Decrypt", KEY)],
        ),
        ("DELETE", "/data/a", [("s3:DeleteObject", "arn:aws:s3:::data/a")]),
    ],
)
def test_objects_are_asked_for_with_the_key_that_encrypts_them(
    method: str, path: str, expected: list[tuple[str, str]]
) -> None:
    assert asked(call("s3", method, path), KEY) == expected


@pytest.mark.parametrize(
    "request_",
    [
        call("s3", "GET", "/data?policy"),
        call("s3", "PUT", "/data/a?tagging"),
        call("sagemaker", operation="DescribeEndpoint", Name="a"),
        call("sagemaker", operation="MakeCoffee"),
    ],
)
def test_a_request_that_is_not_understood_is_refused(request_: Call) -> None:
    with pytest.raises(ValueError, match=r"which (action|member)|no such action"):
        asked(request_)


def test_a_role_is_asked_for_logs_and_alarms_by_their_names() -> None:
    log = call("logs", operation="GetLogEvents", logGroupName="/aws/sagemaker/TrainingJobs", logStreamName="a/algo-1")
    place = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/TrainingJobs"
    assert asked(log) == [("logs:GetLogEvents", f"{place}:log-stream:a/algo-1")]
    alarms = "arn:aws:cloudwatch:us-east-1:000000000000:alarm"
    put = call("monitoring", operation="PutMetricAlarm", AlarmName="a")
    assert asked(put) == [("cloudwatch:PutMetricAlarm", f"{alarms}:a")]
    # CloudWatch asks about all alarms, whatever the names in the request.
    described = call("monitoring", operation="DescribeAlarms", AlarmNames=["a"])
    assert asked(described) == [("cloudwatch:DescribeAlarms", f"{alarms}:*")]
