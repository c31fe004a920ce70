"""The templates carried out by moto, as far as it goes; what it cannot make is listed here, type by type."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tests.project_template.conftest import FORMS, INSTALLED, NAME
from tests.project_template.stack import INSTALL, TEMPLATE, Stack

STACK = "SP-fraud"
# References to what moto makes are left for it to resolve; it has no attributes of the others.
MADE_BY_MOTO = frozenset(
    {
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    }
)
# Not made, though moto says that the stack is complete.
UNSUPPORTED = {
    "AWS::Budgets::Budget",
    "AWS::CloudWatch::Alarm",
    "AWS::CodeBuild::Project",
    "AWS::CodeBuild::ReportGroup",
    "AWS::Events::ApiDestination",
    "AWS::Events::Connection",
    "AWS::IAM::OIDCProvider",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SageMaker::CodeRepository",
    "AWS::SageMaker::ModelPackageGroup",
    "AWS::ServiceCatalog::CloudFormationProduct",
    "AWS::ServiceCatalog::LaunchRoleConstraint",
    "AWS::ServiceCatalog::Portfolio",
    "AWS::ServiceCatalog::PortfolioPrincipalAssociation",
    "AWS::ServiceCatalog::PortfolioProductAssociation",
}
WARNING = "Tried to parse {} but it's not supported by moto's CloudFormation implementation"


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield


def deploy(file: Path, parameters: dict[str, str]) -> tuple[Stack, dict[str, str]]:
    """Make a stack in moto, which must warn of unsupported types only; return it and what was made, by logical id."""
    stack = Stack(file, parameters, left=MADE_BY_MOTO)
    resources = dict(stack.resources)
    if "Key" in resources:
        # moto takes the tags of keys in the form of KMS's API only.
        properties = {name: value for name, value in resources["Key"]["Properties"].items() if name != "Tags"}
        resources["Key"] = {**resources["Key"], "Properties": properties}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = boto3.client("cloudformation")
        client.create_stack(StackName=STACK, TemplateBody=json.dumps({"Resources": resources}))
        listed = client.describe_stack_resources(StackName=STACK)["StackResources"]
    types = {each["Type"] for each in resources.values()}
    assert {str(each.message) for each in caught} == {WARNING.format(kind) for kind in types & UNSUPPORTED}
    # An entry for what it did not make has no name.
    return stack, {
        each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed if "LogicalResourceId" in each
    }


@pytest.mark.parametrize("form", FORMS)
def test_a_project_is_made(form: str) -> None:
    stack, made = deploy(TEMPLATE, FORMS[form])
    expected = {name for name, each in stack.resources.items() if each["Type"] not in UNSUPPORTED}
    assert set(made) == expected
    described = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert described[0]["StackStatus"] == "CREATE_COMPLETE"
    check_bucket(made["ArtifactBucket"], "aws:kms" if "Key" in expected else "AES256")
    check_roles(stack, made)
    check_logs(stack)
    check_rules(stack)


def test_the_installation_is_made() -> None:
    stack, made = deploy(INSTALL, INSTALLED)
    assert set(made) == {"LaunchRole", "PermissionsBoundary", "StudioPolicy", "TemplateBucket"}
    check_bucket(made["TemplateBucket"], "AES256")
    check_roles(stack, made)
    role = boto3.client("iam").get_role(RoleName=made["LaunchRole"])["Role"]
    assert "AWS" in json.dumps(role["AssumeRolePolicyDocument"])


def test_all_that_moto_cannot_make_is_in_the_templates_at_least_once() -> None:
    stacks = [*(Stack(TEMPLATE, form) for form in FORMS.values()), Stack(INSTALL, INSTALLED)]
    assert {each["Type"] for stack in stacks for each in stack.resources.values()} >= UNSUPPORTED


def check_bucket(name: str, algorithm: str) -> None:
    """Of a bucket's properties moto reads these two."""
    client = boto3.client("s3")
    assert client.get_bucket_tagging(Bucket=name)["TagSet"]
    (rule,) = client.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == algorithm


def check_roles(stack: Stack, made: dict[str, str]) -> None:
    client = boto3.client("iam")
    for logical_id, declared in stack.of_type("AWS::IAM::Role").items():
        name = made[logical_id]
        assert client.get_role(RoleName=name)["Role"]["Path"] == declared.get("Path", "/")
        stored = client.list_role_policies(RoleName=name)["PolicyNames"]
        assert {policy["PolicyName"] for policy in declared.get("Policies", [])} <= set(stored)
        for policy in stored:
            # Whatever was left for it to resolve is resolved. It keeps the text of a document.
            document = str(client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
            assert not [each for each in ("Fn::", "${", "'Ref'", "None") if each in document]


def check_logs(stack: Stack) -> None:
    listed = boto3.client("logs").describe_log_groups()["logGroups"]
    groups = stack.of_type("AWS::Logs::LogGroup").values()
    assert {group["logGroupName"] for group in listed} == {group["LogGroupName"] for group in groups}
    assert {group["retentionInDays"] for group in listed} == {90}


def check_rules(stack: Stack) -> None:
    client = boto3.client("events")
    for declared in stack.of_type("AWS::Events::Rule").values():
        assert declared["Name"].startswith(f"sagemaker-{NAME}-")
        (target,) = client.list_targets_by_rule(Rule=declared["Name"])["Targets"]
        assert target["Arn"] == declared["Targets"][0]["Arn"]
        assert target["RoleArn"].startswith("arn:aws:iam::")
        assert target["DeadLetterConfig"]["Arn"].endswith(f":sagemaker-{NAME}-events")
