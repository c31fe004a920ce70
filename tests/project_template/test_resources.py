"""What a stack makes is tagged, encrypted and kept where it is worth it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.iam.evaluator import Request, allows, together
from tests.project_template.conftest import ALL_GITHUB, GITHUB, NAME
from tests.project_template.stack import TEMPLATE, Stack
from tests.workflows.files import REPOSITORY, steps

# Types that have no tags.
UNTAGGED = {
    "AWS::Events::ApiDestination",
    "AWS::Events::Connection",
    "AWS::IAM::Policy",
    "AWS::KMS::Alias",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
UNTAGGED_OF_INSTALLATION = {
    "AWS::IAM::ManagedPolicy",
    "AWS::S3::BucketPolicy",
    "AWS::ServiceCatalog::LaunchRoleConstraint",
    "AWS::ServiceCatalog::PortfolioPrincipalAssociation",
    "AWS::ServiceCatalog::PortfolioProductAssociation",
}
WORKFLOWS = REPOSITORY / ".github" / "workflows"
KEPT = {"ArtifactBucket", "ArtifactBucketPolicy", "GitHubOidcProvider", "Key", "ModelPackageGroup"}
EVERYBODY = together([{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}])


def tags(resource: Mapping[str, Any]) -> dict[str, str]:
    properties = resource["Properties"]
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", properties.get("ResourceTags", []))}


def test_everything_that_has_tags_is_tagged_for_the_project(stack: Stack) -> None:
    project = {"sagemaker:project-id": "p-abc123", "sagemaker:project-name": "fraud"}
    for name, resource in stack.resources.items():
        assert tags(resource) == ({} if resource["Type"] in UNTAGGED else project), name


def test_everything_that_is_installed_is_tagged(installed: Stack) -> None:
    for name, resource in installed.resources.items():
        assert bool(tags(resource)) == (resource["Type"] not in UNTAGGED_OF_INSTALLATION), name


def test_studio_shows_the_product(installed: Stack) -> None:
    assert tags(installed.resources["Product"])["sagemaker:studio-visibility"] == "true"


def test_data_models_and_keys_outlive_the_stack_but_not_its_failed_beginning(stack: Stack) -> None:
    kept = {name for name, each in stack.resources.items() if each.get("DeletionPolicy") == "RetainExceptOnCreate"}
    assert kept == KEPT & set(stack.resources)
    for name, resource in stack.resources.items():
        assert resource.get("DeletionPolicy", "Delete") in {"Delete", "RetainExceptOnCreate"}
        assert (resource.get("UpdateReplacePolicy") == "Retain") == (name in kept), name


@pytest.mark.parametrize("bucket", ["ArtifactBucket", "TemplateBucket"])
def test_a_bucket_is_versioned_encrypted_and_closed(bucket: str, full_stack: Stack, installed: Stack) -> None:
    properties = {**full_stack.resources, **installed.resources}[bucket]["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"aws:kms", "AES256"}


def test_no_bucket_is_open_to_everybody_with_the_policy_of_aws_for_all_of_sagemaker(
    stack: Stack, installed: Stack
) -> None:
    for each in (stack, installed):
        for bucket in each.of_type("AWS::S3::Bucket").values():
            assert "sagemaker" not in bucket["BucketName"].lower()
            assert "aws-glue" not in bucket["BucketName"]


@pytest.mark.parametrize(
    ("resource", "member", "action"),
    [
        ("ArtifactBucketPolicy", "ArtifactBucket", "s3:GetObject"),
        ("EventsQueuePolicy", "EventsQueue", "sqs:SendMessage"),
        ("AlarmTopicPolicy", "AlarmTopic", "sns:Publish"),
    ],
)
def test_nothing_goes_in_or_out_without_tls(resource: str, member: str, action: str, full_stack: Stack) -> None:
    policy = full_stack.resources[resource]["Properties"]["PolicyDocument"]
    arns = [full_stack.arn(member), *([f"{full_stack.arn(member)}/key"] if member == "ArtifactBucket" else [])]
    for arn in arns:
        for is_secure in ("true", "false"):
            asked = Request(action, arn, {"aws:SecureTransport": is_secure})
            assert allows(together([EVERYBODY, policy]), asked) == (is_secure == "true")


def test_the_templates_are_read_with_tls_only(installed: Stack) -> None:
    policy = installed.resources["TemplateBucketPolicy"]["Properties"]["PolicyDocument"]
    asked = Request("s3:GetObject", f"{installed.arn('TemplateBucket')}/x", {"aws:SecureTransport": "false"})
    assert not allows(together([EVERYBODY, policy]), asked)


def test_no_run_of_a_registered_model_is_ever_deleted(stack: Stack) -> None:
    rules = stack.resources["ArtifactBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    expiring = {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule}
    assert expiring == {"data-capture/", f"{NAME}/builds/"}
    assert {rule["Prefix"] for rule in rules if "Transitions" in rule} == {f"{NAME}/runs/"}
    (old,) = (rule for rule in rules if "NoncurrentVersionExpiration" in rule)
    assert old["NoncurrentVersionExpiration"]["NoncurrentDays"] >= 30


def test_every_log_has_an_end_and_the_key_of_the_project(full_stack: Stack) -> None:
    groups = full_stack.of_type("AWS::Logs::LogGroup")
    assert {f"/aws/sagemaker/Endpoints/{NAME}-{stage}" for stage in ("staging", "production")} <= {
        group["LogGroupName"] for group in groups.values()
    }
    for group in groups.values():
        assert group["RetentionInDays"] == 90
        assert group["KmsKeyId"] == full_stack.arn("Key")


def test_a_key_of_the_project_encrypts_whatever_can_take_one() -> None:
    stack = Stack(TEMPLATE, ALL_GITHUB)
    arn = stack.arn("Key")
    assert stack.resources["Key"]["Properties"]["EnableKeyRotation"] is True
    users = {name for name, each in stack.resources.items() if arn in json.dumps(each["Properties"])}
    roles = {"BuildRole", "EndpointRole", "PipelineExecutionRole", "ProductionRole", "StagingRole"}
    assert users == {"AlarmTopic", "ArtifactBucket", "ProductionLogGroup", "StagingLogGroup", *roles}
    assert stack.outputs["EndpointKeyArn"] == arn


def test_without_a_key_there_is_none_and_nobody_may_use_one() -> None:
    stack = Stack(TEMPLATE, GITHUB)
    assert not stack.of_type("AWS::KMS::Key")
    assert "kms:" not in json.dumps(stack.resources)
    assert "EndpointKeyArn" not in stack.outputs


def test_the_key_is_for_this_account_and_its_logs_and_alarms(full_stack: Stack) -> None:
    policy = full_stack.resources["Key"]["Properties"]["KeyPolicy"]
    principals = [next(iter(each["Principal"].values())) for each in policy["Statement"]]
    assert principals == [
        "arn:aws:iam::111122223333:root",
        "logs.us-east-1.amazonaws.com",
        "cloudwatch.amazonaws.com",
    ]
    assert all("Condition" in each for each in policy["Statement"][1:])


def test_a_budget_is_told_before_and_when_it_is_over(full_stack: Stack) -> None:
    budget = full_stack.resources["Budget"]["Properties"]
    assert budget["Budget"]["BudgetLimit"] == {"Amount": "100", "Unit": "USD"}
    told = {each["Notification"]["NotificationType"] for each in budget["NotificationsWithSubscribers"]}
    assert told == {"ACTUAL", "FORECASTED"}


def test_nothing_is_made_that_was_not_asked_for() -> None:
    unasked = {
        "AWS::Budgets::Budget",
        "AWS::SNS::Topic",
        "AWS::KMS::Key",
        "AWS::CodeBuild::Project",
        "AWS::Events::Rule",
    }
    assert not unasked & {each["Type"] for each in Stack(TEMPLATE, GITHUB).resources.values()}


def test_the_repository_is_the_projects(stack: Stack) -> None:
    (repository,) = stack.of_type("AWS::SageMaker::CodeRepository").values()
    assert repository["GitConfig"] == {"RepositoryUrl": "https://github.com/acme/fraud.git", "Branch": "main"}


def test_the_outputs_are_the_variables_that_the_workflows_read(stack: Stack) -> None:
    described = {name: each["Description"] for name, each in stack.document["Outputs"].items()}
    variables = {described[name]: value for name, value in stack.outputs.items()}
    assert variables["AWS_ROLE_ARN"] == stack.arn("BuildRole")
    assert variables["AWS_STAGING_ROLE_ARN"] == stack.arn("StagingRole")
    assert variables["AWS_PRODUCTION_ROLE_ARN"] == stack.arn("ProductionRole")
    assert variables["SAGEMAKER_PIPELINE_ROLE_ARN"] == stack.arn("PipelineExecutionRole")
    assert variables["SAGEMAKER_ENDPOINT_ROLE_ARN"] == stack.arn("EndpointRole")
    assert (variables["SAGEMAKER_PROJECT_NAME"], variables["SAGEMAKER_PROJECT_ID"]) == ("fraud", "p-abc123")
    assert variables["ARTIFACT_BUCKET"] == "ml-project-p-abc123-111122223333-us-east-1"


@pytest.mark.parametrize(("workflow", "command"), [("run-in-aws", "run-pipeline"), ("deploy-stage", "deploy-model")])
def test_what_the_commands_make_is_tagged_for_the_project_too(workflow: str, command: str) -> None:
    (step,) = (each for each in steps(WORKFLOWS / f"{workflow}.yml") if f"/{command} " in each.get("run", ""))
    for name in ("SAGEMAKER_PROJECT_NAME", "SAGEMAKER_PROJECT_ID"):
        assert step["env"][name] == f"${{{{ vars.{name} }}}}"
