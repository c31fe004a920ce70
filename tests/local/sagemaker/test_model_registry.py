"""The model registry through the API, beside moto's where that has it."""

from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.local.conftest import Client, Pipeline
from tests.local.documents import ROLE, XGBOOST, definition

SPECIFICATION = {
    "Containers": [{"Image": XGBOOST, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


@pytest.fixture(params=["this machine", "moto"])
def registry(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A SageMaker client of this machine, and one of moto."""
    if request.param == "this machine":
        yield request.getfixturevalue("sagemaker")
        return
    import boto3  # noqa: PLC0415 -- moto patches what is imported

    with mock_aws():
        yield boto3.client(
            "sagemaker", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )


def add_package(client: Client, group: str = "claims", **more: object) -> str:
    arn = client.create_model_package(ModelPackageGroupName=group, InferenceSpecification=SPECIFICATION, **more)
    return str(arn["ModelPackageArn"])


def test_a_package_is_registered_described_and_approved(registry: Client) -> None:
    registry.create_model_package_group(ModelPackageGroupName="claims", ModelPackageGroupDescription="fraud")
    arn = add_package(registry, ModelApprovalStatus="PendingManualApproval")
    assert arn.endswith(":model-package/claims/1")
    described = registry.describe_model_package(ModelPackageName=arn)
    assert (described["ModelPackageVersion"], described["ModelPackageStatus"]) == (1, "Completed")
    assert described["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == "s3://bucket/model.tar.gz"
    registry.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    approved = registry.describe_model_package(ModelPackageName=arn)
    assert (approved["ModelApprovalStatus"], approved["ApprovalDescription"]) == ("Approved", "good")


def test_packages_of_a_group_are_listed_by_approval(registry: Client) -> None:
    registry.create_model_package_group(ModelPackageGroupName="claims")
    add_package(registry, ModelApprovalStatus="Approved")
    add_package(registry, ModelApprovalStatus="Rejected")
    listed = registry.list_model_packages(ModelPackageGroupName="claims", ModelApprovalStatus="Approved")
    assert [package["ModelPackageVersion"] for package in listed["ModelPackageSummaryList"]] == [1]
    newest = registry.list_model_packages(ModelPackageGroupName="claims", SortBy="CreationTime", SortOrder="Descending")
    assert [package["ModelPackageVersion"] for package in newest["ModelPackageSummaryList"]] == [2, 1]


def test_packages_are_listed_oldest_first_by_default(sagemaker: Client) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="claims")
    for _ in range(2):
        add_package(sagemaker)
    listed = sagemaker.list_model_packages(ModelPackageGroupName="claims")["ModelPackageSummaryList"]
    assert [package["ModelPackageVersion"] for package in listed] == [1, 2]


def test_a_group_is_described_listed_and_deleted_when_empty(sagemaker: Client) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="claims")
    arn = add_package(sagemaker)
    group = sagemaker.describe_model_package_group(ModelPackageGroupName="claims")
    assert group["ModelPackageGroupStatus"] == "Completed"
    listed = sagemaker.list_model_package_groups(NameContains="cla")["ModelPackageGroupSummaryList"]
    assert [entry["ModelPackageGroupName"] for entry in listed] == ["claims"]
    with pytest.raises(ClientError, match="still has model packages") as caught:
        sagemaker.delete_model_package_group(ModelPackageGroupName="claims")
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName="claims")
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_a_package_in_a_group_that_is_not_there_is_refused(sagemaker: Client) -> None:
    with pytest.raises(ClientError, match="Model package group ghost does not exist"):
        add_package(sagemaker, "ghost")
    assert sagemaker.list_model_packages()["ModelPackageSummaryList"] == []


def test_a_model_is_created_described_listed_and_deleted(registry: Client) -> None:
    container = {"Image": XGBOOST, "ModelDataUrl": "s3://bucket/model.tar.gz"}
    arn = registry.create_model(ModelName="fraud", ExecutionRoleArn=ROLE, PrimaryContainer=container)["ModelArn"]
    assert arn.endswith(":model/fraud")
    assert registry.describe_model(ModelName="fraud")["PrimaryContainer"]["Image"] == XGBOOST
    assert [model["ModelName"] for model in registry.list_models()["Models"]] == ["fraud"]
    registry.delete_model(ModelName="fraud")
    with pytest.raises(ClientError, match=r"[Cc]ould not find model"):
        registry.describe_model(ModelName="fraud")


def test_what_is_deleted_leaves_no_tags_for_the_next_of_its_name(sagemaker: Client) -> None:
    tags = [{"Key": "team", "Value": "claims"}]
    container = {"Image": XGBOOST, "ModelDataUrl": "s3://bucket/model.tar.gz"}
    group = sagemaker.create_model_package_group(ModelPackageGroupName="claims", Tags=tags)["ModelPackageGroupArn"]
    model = sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container, Tags=tags)
    package = add_package(sagemaker)
    sagemaker.add_tags(ResourceArn=package, Tags=tags)
    sagemaker.delete_model(ModelName="m")
    sagemaker.delete_model_package(ModelPackageName=package)
    sagemaker.delete_model_package_group(ModelPackageGroupName="claims")
    for arn in (group, model["ModelArn"], package):
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


def test_a_model_stands_on_an_approved_package(sagemaker: Client) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="claims")
    arn = add_package(sagemaker, ModelApprovalStatus="Approved")
    sagemaker.create_model(ModelName="fraud", ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": arn}])
    assert sagemaker.describe_model(ModelName="fraud")["Containers"] == [{"ModelPackageName": arn}]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("claims/1", "is PendingManualApproval; a model needs an Approved one: approve it first"),
        ("claims/2", "claims/2 does not exist"),
        ("ghosts/1", "ghosts/1 does not exist"),
    ],
)
def test_a_model_on_another_package_is_refused(sagemaker: Client, name: str, reason: str) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="claims")
    arn = add_package(sagemaker).replace("claims/1", name)
    with pytest.raises(ClientError, match=reason) as caught:
        sagemaker.create_model(ModelName="fraud", ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": arn}])
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert sagemaker.list_models()["Models"] == []


@pytest.mark.parametrize("member", ["PrimaryContainer", "Containers"])
def test_a_model_of_nothing_is_refused(sagemaker: Client, member: str) -> None:
    container = {"ModelDataUrl": "s3://bucket/model.tar.gz"}
    given = {member: container if member == "PrimaryContainer" else [container]}
    with pytest.raises(ClientError, match=f"{member}: there is neither an Image nor a ModelPackageName"):
        sagemaker.create_model(ModelName="fraud", ExecutionRoleArn=ROLE, **given)
    assert sagemaker.list_models()["Models"] == []


def test_a_package_of_another_account_is_refused(sagemaker: Client) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="claims")
    arn = add_package(sagemaker, ModelApprovalStatus="Approved")
    foreign = arn.replace("000000000000", "111122223333")
    with pytest.raises(ClientError, match=f"{foreign} does not exist; did you mean {arn}"):
        sagemaker.create_model(ModelName="fraud", ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": foreign})
    assert sagemaker.list_models()["Models"] == []


def test_a_step_that_makes_a_model_of_a_package_that_waits_fails(
    sagemaker: Client, create: Callable[..., Pipeline]
) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="claims")
    arguments = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"ModelPackageName": add_package(sagemaker)}}
    execution = create(definition({"Name": "Model", "Type": "Model", "Arguments": arguments})).run()
    assert execution.statuses == {"Model": "Failed"}
    assert "is PendingManualApproval; a model needs an Approved one" in execution.steps["Model"]["FailureReason"]
    assert sagemaker.list_models()["Models"] == []


def test_the_stage_of_a_package_is_kept_and_shown(sagemaker: Client) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="claims")
    arn = add_package(sagemaker, ModelApprovalStatus="Approved")
    stage = {"Stage": "production", "StageStatus": "Approved", "StageDescription": "by the team"}
    sagemaker.update_model_package(ModelPackageArn=arn, ModelLifeCycle=stage)
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (described["ModelLifeCycle"], described["ModelApprovalStatus"]) == (stage, "Approved")
    listed = sagemaker.list_model_packages(ModelPackageGroupName="claims")["ModelPackageSummaryList"]
    assert [package["ModelLifeCycle"] for package in listed] == [stage]
