"""Names at their longest: whatever template, workflows and commands call something, AWS takes it."""

from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
import pytest

from pipelines.adoption.teardown.names import Names
from pipelines.delivery.deployment.alarms import alarm_names
from pipelines.delivery.deployment.names import endpoint_name, versioned_name
from pipelines.delivery.lifecycle import STAGES
from tests.project_template.conftest import ALL_CODEBUILD, ALL_GITHUB, INSTALLED
from tests.project_template.identities import REGION
from tests.project_template.stack import INSTALL, TEMPLATE, Stack, load

AWS = botocore.session.get_session()
# What SageMaker calls its projects is `p-` and 12 letters and digits.
ID = "p-abcdefghijkl"
# Where AWS's own model of a service has the limit: service, operation, member.
MODELLED = {
    ("AWS::Budgets::Budget", "BudgetName"): ("budgets", "DescribeBudget", "BudgetName"),
    ("AWS::CloudWatch::Alarm", "AlarmName"): ("cloudwatch", "PutMetricAlarm", "AlarmName"),
    ("AWS::Events::ApiDestination", "Name"): ("events", "CreateApiDestination", "Name"),
    ("AWS::Events::Connection", "Name"): ("events", "CreateConnection", "Name"),
    ("AWS::Events::Rule", "Name"): ("events", "PutRule", "Name"),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"): ("iam", "CreatePolicy", "PolicyName"),
    ("AWS::IAM::Policy", "PolicyName"): ("iam", "PutRolePolicy", "PolicyName"),
    ("AWS::IAM::Role", "Path"): ("iam", "CreateRole", "Path"),
    ("AWS::IAM::Role", "RoleName"): ("iam", "CreateRole", "RoleName"),
    ("AWS::KMS::Alias", "AliasName"): ("kms", "CreateAlias", "AliasName"),
    ("AWS::Logs::LogGroup", "LogGroupName"): ("logs", "CreateLogGroup", "logGroupName"),
    ("AWS::SageMaker::CodeRepository", "CodeRepositoryName"): (
        "sagemaker",
        "CreateCodeRepository",
        "CodeRepositoryName",
    ),
    ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupName"): (
        "sagemaker",
        "CreateModelPackageGroup",
        "ModelPackageGroupName",
    ),
    ("AWS::ServiceCatalog::CloudFormationProduct", "Name"): ("servicecatalog", "CreateProduct", "Name"),
}
# Where it has none: the service quotas of CodeBuild, S3, SNS and SQS.
DOCUMENTED = {
    ("AWS::CodeBuild::Project", "Name"): 150,
    ("AWS::CodeBuild::ReportGroup", "Name"): 128,
    ("AWS::S3::Bucket", "BucketName"): 63,
    ("AWS::SNS::Topic", "TopicName"): 256,
    ("AWS::SQS::Queue", "QueueName"): 80,
}
# Names that are not of something that is made.
OTHERS = {"MetricName", "DisplayName", "ProviderName"}


def limit(service: str, operation: str, member: str) -> int:
    """Return how long AWS's model lets a text be."""
    shape = AWS.get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    return int(shape.members[member].metadata["max"])


def regions() -> list[str]:
    return [
        region
        for partition in AWS.get_available_partitions()
        for region in AWS.get_available_regions("sagemaker", partition)
    ]


def longest(form: Mapping[str, str]) -> Stack:
    """A stack with the longest name and id that the template takes, in the Region with the longest name."""
    parameters = load(TEMPLATE)["Parameters"]
    name, number = (
        letter * parameters[key]["MaxLength"]
        for letter, key in (("a", "SageMakerProjectName"), ("b", "SageMakerProjectId"))
    )
    return Stack(TEMPLATE, {**form, "SageMakerProjectName": name, "SageMakerProjectId": number})


def named(stack: Stack) -> Iterator[tuple[str, tuple[str, str], str]]:
    """Yield the names that a stack gives to its resources: logical id, type with property, and name."""
    for logical_id, resource in stack.resources.items():
        properties: Mapping[str, Any] = resource["Properties"]
        for key, value in {**properties, **properties.get("Budget", {})}.items():
            if (key == "Path" or key.endswith("Name")) and key not in OTHERS and isinstance(value, str):
                yield logical_id, (resource["Type"], key), value


def most(kind: tuple[str, str]) -> int:
    return limit(*MODELLED[kind]) if kind in MODELLED else DOCUMENTED[kind]


@pytest.mark.parametrize("form", [ALL_GITHUB, ALL_CODEBUILD], ids=["github", "codebuild"])
def test_the_longest_names_fit_every_resource_of_a_project(form: Mapping[str, str]) -> None:
    room = max(map(len, regions())) - len(REGION)
    found = list(named(longest(form)))
    too_long = {
        name: value
        for name, kind, value in found
        if len(value) + (room if kind == ("AWS::S3::Bucket", "BucketName") else 0) > most(kind)
    }
    assert too_long == {}
    assert len(found) > 15


def test_the_names_of_what_is_installed_fit_in_every_region() -> None:
    room = max(map(len, regions())) - len(REGION)
    found = list(named(Stack(INSTALL, INSTALLED)))
    assert {name: value for name, kind, value in found if len(value) + room > most(kind)} == {}
    assert {kind for _, kind, _ in found} >= {("AWS::S3::Bucket", "BucketName"), ("AWS::IAM::Role", "RoleName")}


def test_ids_as_sagemaker_gives_them_are_taken() -> None:
    stack = Stack(TEMPLATE, {**ALL_GITHUB, "SageMakerProjectName": "a" * 32, "SageMakerProjectId": ID})
    assert stack.outputs["ProjectName"] == f"{'a' * 32}-{ID}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_longest_names_fit_all_that_the_commands_make(stage: str) -> None:
    name = longest(ALL_CODEBUILD).outputs["ProjectName"]
    endpoint = endpoint_name(name, stage)
    version = 999_999
    made = {
        ("sagemaker", "CreatePipeline", "PipelineName"): name,
        ("sagemaker", "CreateEndpoint", "EndpointName"): endpoint,
        ("sagemaker", "CreateEndpointConfig", "EndpointConfigName"): versioned_name(name, f"-{stage}", version, {}),
        ("sagemaker", "CreateModel", "ModelName"): versioned_name(name, "", version, {}),
        ("cloudwatch", "PutMetricAlarm", "AlarmName"): max(alarm_names(endpoint), key=len),
        ("logs", "CreateLogGroup", "logGroupName"): f"/aws/sagemaker/Endpoints/{endpoint}",
    }
    assert {member: text for member, text in made.items() if len(text) > limit(*member)} == {}
    # Whole, for the policies name it.
    assert endpoint == f"{name}-{stage}"


def test_teardown_looks_for_the_builds_and_logs_that_the_template_makes() -> None:
    stack = longest(ALL_CODEBUILD)
    name = stack.outputs["ProjectName"]
    names = Names(name, name, name)
    assert set(names.builds) == {each["Name"] for each in stack.of_type("AWS::CodeBuild::Project").values()}
    groups = {each["LogGroupName"] for each in stack.of_type("AWS::Logs::LogGroup").values()}
    assert groups == {
        *(f"/aws/codebuild/{build}" for build in names.builds),
        *(f"/aws/sagemaker/Endpoints/{endpoint}" for endpoint in names.endpoints),
    }
