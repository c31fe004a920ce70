"""What is installed once suffices to make, change and delete every project, and makes nobody an administrator."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.iam.evaluator import Request, actions, allows, matches
from tests.project_template.conftest import ALL_CODEBUILD, ALL_GITHUB, INSTALLED, NAME, STUDIO
from tests.project_template.identities import ACCOUNT, KEY_ID, REGION
from tests.project_template.stack import INSTALL, TEMPLATE, Stack

ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker-projects/{NAME}/SP-fraud-BuildRole-0A1B2C3D4E5F"
OURS = f"arn:aws:iam::{ACCOUNT}:policy/sagemaker-project-boundary-{REGION}"
# CloudFormation would call these only for properties that the template does not set.
UNUSED = {
    "buckets with analytics, inventories, replication, tables, websites and the like": {
        "s3:CreateBucketMetadataTableConfiguration",
        "s3:Delete*",
        "s3:PutA*",
        "s3:PutBucketA*",
        "s3:PutBucketCORS",
        "s3:PutBucketLogging",
        "s3:PutBucketNotification",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketReplication",
        "s3:PutBucketWebsite",
        "s3:PutI*Configuration",
        "s3:PutMetricsConfiguration",
        "s3:PutObject*",
        "s3:PutReplicationConfiguration",
        "s3:UpdateBucketMetadata*",
        "s3tables:*",
    },
    "log groups with policies, indexes and deliveries": {
        "firehose:TagDeliveryStream",
        "logs:CreateLogDelivery",
        "logs:Delete*Polic*",
        "logs:Put*Polic*",
        "logs:PutBearerTokenAuthentication",
        "logs:PutLogGroupDeletionProtection",
        "s3:REST.PUT.OBJECT",
    },
    "connections with a key of one's own": {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"},
    "topics with data protection": {"sns:PutDataProtectionPolicy"},
    "groups that other accounts may use": {
        "sagemaker:DeleteModelPackageGroupPolicy",
        "sagemaker:PutModelPackageGroupPolicy",
    },
    "policies of users and groups": {"iam:*GroupPolicy", "iam:*UserPolicy"},
    "policies that are attached, and boundaries that are taken away": {
        "iam:AttachRolePolicy",
        "iam:DeleteRolePermissionsBoundary",
        "iam:DetachRolePolicy",
    },
    "another address, audience or thumbprint of GitHub": {
        "iam:AddClientIDToOpenIDConnectProvider",
        "iam:RemoveClientIDFromOpenIDConnectProvider",
        "iam:UpdateOpenIDConnectProviderThumbprint",
    },
}
# What makes a resource, for types whose resources have names before they are made.
CREATED = {
    "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm",
    "AWS::CodeBuild::Project": "codebuild:CreateProject",
    "AWS::CodeBuild::ReportGroup": "codebuild:CreateReportGroup",
    "AWS::Events::ApiDestination": "events:CreateApiDestination",
    "AWS::Events::Connection": "events:CreateConnection",
    "AWS::Events::Rule": "events:PutRule",
    "AWS::IAM::OIDCProvider": "iam:CreateOpenIDConnectProvider",
    "AWS::IAM::Role": "iam:CreateRole",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup",
    "AWS::S3::Bucket": "s3:CreateBucket",
    "AWS::SNS::Topic": "sns:CreateTopic",
    "AWS::SQS::Queue": "sqs:CreateQueue",
    "AWS::SageMaker::ModelPackageGroup": "sagemaker:CreateModelPackageGroup",
}
# For these CloudFormation does not say what it calls.
WITHOUT_SAYING = {"AWS::CodeBuild::Project"}


@pytest.fixture(scope="module")
def installation() -> Stack:
    return Stack(INSTALL, INSTALLED)


def handlers(kind: str) -> Iterator[str]:
    """Yield the actions that CloudFormation calls for a type, as AWS publishes them."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    for name, handler in schema.get("handlers", {}).items():
        if name != "list":
            yield from handler.get("permissions", [])


def types() -> set[str]:
    stacks = (Stack(TEMPLATE, form) for form in (ALL_GITHUB, ALL_CODEBUILD))
    return {each["Type"] for stack in stacks for each in stack.resources.values()}


@pytest.mark.parametrize("kind", sorted(types() - WITHOUT_SAYING))
def test_the_launch_role_may_call_what_cloudformation_calls(installation: Stack, kind: str) -> None:
    may = actions(installation.policy("LaunchRole"))
    needed = set(handlers(kind))
    assert needed
    unused = {pattern for patterns in UNUSED.values() for pattern in patterns}
    missing = {each for each in needed if not any(matches(action, each) for action in may)}
    assert {each for each in missing if not any(matches(pattern, each) for pattern in unused)} == set()


def test_only_one_type_keeps_to_itself_what_it_calls() -> None:
    assert {kind for kind in types() if not set(handlers(kind))} == WITHOUT_SAYING


def test_every_reason_for_a_call_that_is_not_made_is_about_one() -> None:
    called = {action for kind in types() for action in handlers(kind)}
    for reason, patterns in UNUSED.items():
        for pattern in patterns:
            assert any(matches(pattern, action) for action in called), f"{reason}: {pattern}"


@pytest.mark.parametrize("form", [ALL_GITHUB, ALL_CODEBUILD])
def test_the_launch_role_makes_the_resources_of_a_project_by_their_names(
    installation: Stack, form: dict[str, str]
) -> None:
    stack = Stack(TEMPLATE, form)
    assert stack.parameters["PermissionsBoundaryArn"] == installation.outputs["PermissionsBoundaryArn"]
    asked = {name: CREATED[each["Type"]] for name, each in stack.resources.items() if each["Type"] in CREATED}
    assert set(CREATED) <= types()
    for name, action in asked.items():
        boundary = stack.resources[name]["Properties"].get("PermissionsBoundary")
        context = {"iam:PermissionsBoundary": boundary} if boundary else {}
        request = Request(action, stack.arn(name), context)
        assert allows(installation.policy("LaunchRole"), request), request


@pytest.mark.parametrize(
    ("action", "resource", "context", "is_allowed"),
    [
        ("iam:CreateRole", ROLE, {"iam:PermissionsBoundary": OURS}, True),
        ("iam:CreateRole", ROLE, {}, False),
        ("iam:CreateRole", ROLE, {"iam:PermissionsBoundary": OURS + "-2"}, False),
        ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/admin", {"iam:PermissionsBoundary": OURS}, False),
        ("iam:PutRolePolicy", ROLE, {"iam:PermissionsBoundary": OURS}, True),
        ("iam:PutRolePolicy", ROLE, {}, False),
        ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/sagemaker-project-launch-{REGION}", {}, False),
        ("iam:AttachRolePolicy", ROLE, {"iam:PermissionsBoundary": OURS}, False),
        ("iam:DeleteRolePermissionsBoundary", ROLE, {"iam:PermissionsBoundary": OURS}, False),
        ("iam:CreatePolicyVersion", OURS, {}, False),
        ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/mallory", {}, False),
        ("iam:PassRole", ROLE, {"iam:PassedToService": "codebuild.amazonaws.com"}, True),
        ("iam:PassRole", ROLE, {"iam:PassedToService": "ec2.amazonaws.com"}, False),
        (
            "iam:PassRole",
            f"arn:aws:iam::{ACCOUNT}:role/admin",
            {"iam:PassedToService": "codebuild.amazonaws.com"},
            False,
        ),
        ("s3:PutBucketPolicy", f"arn:aws:s3:::ml-templates-{ACCOUNT}-{REGION}", {}, False),
        ("s3:PutObject", f"arn:aws:s3:::ml-templates-{ACCOUNT}-{REGION}/template.yml", {}, False),
        ("s3:GetObject", f"arn:aws:s3:::ml-project-p-abc123-{ACCOUNT}-{REGION}/a", {}, False),
        ("kms:ScheduleKeyDeletion", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}", {}, False),
        ("kms:PutKeyPolicy", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}", {}, False),
        (
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:database-0aBcDe",
            {},
            False,
        ),
        ("codebuild:UpdateProject", f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/release", {}, False),
        ("cloudformation:CreateStack", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/network/1", {}, False),
    ],
)
def test_the_launch_role_has_its_limits(
    installation: Stack, action: str, resource: str, context: dict[str, str], is_allowed: bool
) -> None:
    assert allows(installation.policy("LaunchRole"), Request(action, resource, context)) == is_allowed


@pytest.mark.parametrize("form", [ALL_GITHUB, ALL_CODEBUILD])
def test_the_boundary_takes_nothing_from_the_roles_of_a_project(installation: Stack, form: dict[str, str]) -> None:
    boundary = installation.resources["PermissionsBoundary"]["Properties"]["PolicyDocument"]
    stack = Stack(TEMPLATE, form)
    for role in stack.of_type("AWS::IAM::Role"):
        for statement in stack.policy(role)["Statement"]:
            for request in examples(statement):
                assert allows(boundary, request), f"{role}: {request}"


def examples(statement: Mapping[str, Any]) -> Iterator[Request]:
    """Yield a request for each action and resource of a statement, as its conditions want it."""
    context = {"aws:ResourceTag/sagemaker:project-id": "p-abc123"}
    for operator, wishes in statement.get("Condition", {}).items():
        if operator != "Null":
            context |= {key: _listed(wanted)[0].replace("*", "x") for key, wanted in wishes.items()}
    for action in _listed(statement["Action"]):
        for resource in _listed(statement["Resource"]):
            yield Request(action, resource if resource == "*" else resource.replace("*", "x"), context)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_the_boundary_leaves_no_way_to_become_somebody_else(installation: Stack) -> None:
    boundary = installation.resources["PermissionsBoundary"]["Properties"]["PolicyDocument"]
    services = {action.partition(":")[0] for action in actions(boundary)}
    assert not services & {"cloudformation", "lambda", "organizations", "secretsmanager", "sts"}
    assert {action for action in actions(boundary) if action.startswith("iam:")} == {"iam:PassRole"}
    for action in ("sagemaker:CreatePresignedDomainUrl", "sagemaker:CreateNotebookInstance", "ec2:RunInstances"):
        assert not allows(boundary, Request(action, "*"))


def test_who_makes_projects_in_studio_may_do_that_and_give_the_launch_role_alone(installation: Stack) -> None:
    policy = installation.resources["StudioPolicy"]["Properties"]["PolicyDocument"]
    template = f"arn:aws:s3:::{installation.outputs['TemplateBucket']}/templates/template.yml"
    stack = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack"
    for action, resource in [
        ("cloudformation:CreateStack", f"{stack}/SP-fraud/1"),
        ("cloudformation:TagResource", f"{stack}/SP-fraud/1"),
        ("iam:PassRole", installation.outputs["LaunchRoleArn"]),
        ("s3:GetObject", template),
        ("s3:GetObjectTagging", template),
        ("sagemaker:CreateProject", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:project/fraud"),
    ]:
        assert allows(policy, Request(action, resource)), action
    for action, resource in [
        ("cloudformation:UpdateStack", f"{stack}/network/1"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/admin"),
        ("s3:PutObject", template),
    ]:
        assert not allows(policy, Request(action, resource)), action


def test_the_policy_is_attached_to_whom_it_is_said(installation: Stack) -> None:
    assert "Roles" not in installation.resources["StudioPolicy"]["Properties"]
    named = Stack(INSTALL, {**INSTALLED, "StudioRoleNames": "one,two"})
    assert named.resources["StudioPolicy"]["Properties"]["Roles"] == ["one", "two"]


def test_studio_reads_templates_in_the_browser(installation: Stack) -> None:
    (rule,) = installation.resources["TemplateBucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == ["https://*.sagemaker.aws"]
    assert set(rule["AllowedMethods"]) == {"POST", "PUT", "GET", "HEAD", "DELETE"}
    assert rule["AllowedHeaders"] == ["*"]
    assert "ETag" in rule["ExposedHeaders"]
    assert all(each == "ETag" or each.startswith("x-amz-") for each in rule["ExposedHeaders"])


def test_the_product_is_launched_with_the_same_role_by_who_is_in_studio(installation: Stack) -> None:
    (constraint,) = installation.of_type("AWS::ServiceCatalog::LaunchRoleConstraint").values()
    (principal,) = installation.of_type("AWS::ServiceCatalog::PortfolioPrincipalAssociation").values()
    (product,) = installation.of_type("AWS::ServiceCatalog::CloudFormationProduct").values()
    assert constraint["RoleArn"] == installation.outputs["LaunchRoleArn"]
    assert principal["PrincipalARN"] == STUDIO
    (version,) = product["ProvisioningArtifactParameters"]
    assert version["Info"]["LoadTemplateFromURL"] == INSTALLED["ServiceCatalogTemplateUrl"]


def test_there_is_no_product_before_its_template_is_uploaded() -> None:
    stack = Stack(INSTALL, {"StudioRoleArns": STUDIO})
    assert not any(each["Type"].startswith("AWS::ServiceCatalog::") for each in stack.resources.values())
    assert "ProductId" not in stack.outputs


def test_an_identity_provider_that_is_there_is_left_alone() -> None:
    stack = Stack(INSTALL, {**INSTALLED, "GitHubIdentityProvider": "exists"})
    assert not stack.of_type("AWS::IAM::OIDCProvider")
    assert stack.outputs["GitHubOidcProviderArn"].endswith("oidc-provider/token.actions.githubusercontent.com")
