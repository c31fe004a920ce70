"""Model package groups, packages and models."""

from pathlib import Path

import pytest

from pipelines.local.database import Database
from pipelines.local.errors import ConflictError, ResourceNotFound, ValidationError
from pipelines.local.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(Database(tmp_path / "state.sqlite"), lambda resource: f"arn:aws:sagemaker:r:1:{resource}")


def test_packages_of_a_group_are_numbered_and_wait_for_approval(registry: Registry) -> None:
    registry.create_group("claims", "Fraud models")
    first = registry.create_package({"ModelPackageGroupName": "claims"})
    second = registry.create_package({"ModelPackageGroupName": "claims", "ModelApprovalStatus": "Approved"})
    assert first["ModelPackageArn"] == "arn:aws:sagemaker:r:1:model-package/claims/1"
    assert (first["ModelPackageVersion"], first["ModelApprovalStatus"]) == (1, "PendingManualApproval")
    assert (second["ModelPackageVersion"], second["ModelApprovalStatus"]) == (2, "Approved")
    assert [package["ModelPackageVersion"] for package in registry.packages("claims")] == [1, 2]
    assert registry.package(first["ModelPackageArn"]) == first


def test_the_number_of_a_deleted_package_is_not_used_again(registry: Registry) -> None:
    registry.create_group("claims")
    registry.create_package({"ModelPackageGroupName": "claims"})
    second = registry.create_package({"ModelPackageGroupName": "claims"})
    registry.delete_package(second["ModelPackageArn"])
    assert registry.create_package({"ModelPackageGroupName": "claims"})["ModelPackageVersion"] == 3


def test_groups_whose_names_begin_alike_do_not_share_packages(registry: Registry) -> None:
    for name in ("claims", "claims-eu"):
        registry.create_group(name)
        registry.create_package({"ModelPackageGroupName": name})
    assert len(registry.packages("claims")) == 1
    assert len(registry.packages()) == 2


def test_a_group_is_created_once(registry: Registry) -> None:
    registry.create_group("claims", "the first")
    with pytest.raises(ValidationError, match="already exists"):
        registry.create_group("claims", "the second")
    assert registry.group("claims")["ModelPackageGroupDescription"] == "the first"
    assert len(registry.groups()) == 1


def test_a_group_is_found_by_its_arn(registry: Registry) -> None:
    arn = registry.create_group("claims")["ModelPackageGroupArn"]
    assert registry.group(arn)["ModelPackageGroupName"] == "claims"


def test_a_group_with_packages_is_not_deleted(registry: Registry) -> None:
    registry.create_group("claims")
    package = registry.create_package({"ModelPackageGroupName": "claims"})
    with pytest.raises(ConflictError, match="still has model packages"):
        registry.delete_group("claims")
    registry.delete_package(package["ModelPackageArn"])
    registry.delete_group("claims")
    with pytest.raises(ResourceNotFound, match="Model package group claims does not exist"):
        registry.group("claims")


def test_a_package_needs_a_group_that_exists(registry: Registry) -> None:
    with pytest.raises(ResourceNotFound, match="group claims does not exist"):
        registry.create_package({"ModelPackageGroupName": "claims"})
    with pytest.raises(ValidationError, match="ModelPackageGroupName is missing"):
        registry.create_package({"ModelPackageName": "unversioned"})
    assert registry.packages() == []


@pytest.mark.parametrize("arn", ["claims", "arn:aws:sagemaker:r:1:model-package/claims/9", "model-package/claims/x"])
def test_a_package_that_is_not_there_is_named(registry: Registry, arn: str) -> None:
    registry.create_group("claims")
    with pytest.raises(ResourceNotFound, match=f"Model package {arn} does not exist"):
        registry.package(arn)


def test_an_update_changes_the_approval_and_merges_the_customer_metadata(registry: Registry) -> None:
    registry.create_group("claims")
    request = {"ModelPackageGroupName": "claims", "CustomerMetadataProperties": {"auc": "0.9", "old": "1"}}
    arn = registry.create_package(request)["ModelPackageArn"]
    registry.update_package(
        {
            "ModelPackageArn": arn,
            "ModelApprovalStatus": "Approved",
            "ApprovalDescription": "by hand",
            "CustomerMetadataProperties": {"commit": "abc"},
            "CustomerMetadataPropertiesToRemove": ["old"],
        }
    )
    package = registry.package(arn)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["ApprovalDescription"] == "by hand"
    assert package["CustomerMetadataProperties"] == {"auc": "0.9", "commit": "abc"}


def test_a_model_is_created_once_and_deleted(registry: Registry) -> None:
    model = registry.create_model("fraud", {"ExecutionRoleArn": "arn", "Tags": []})
    assert registry.model("fraud") == model
    assert "Tags" not in model
    with pytest.raises(ValidationError, match="Cannot create already existing model"):
        registry.create_model("fraud", {})
    registry.delete_model("fraud")
    assert registry.models() == []
    with pytest.raises(ValidationError, match=r'Could not find model ".*model/fraud"'):
        registry.delete_model("fraud")
