"""The operations on the model registry and on models."""

from pipelines.local.api.listing import containing, ordered, page, pick, within_times
from pipelines.local.api.tags import Tags
from pipelines.local.database import Document
from pipelines.local.registry import Registry


class ModelRegistry:
    """Model package groups, model packages and models, as the service shows them."""

    def __init__(self, registry: Registry, tags: Tags) -> None:
        self._registry = registry
        self._tags = tags

    def create_group(self, request: Document) -> Document:
        """CreateModelPackageGroup."""
        description = request.get("ModelPackageGroupDescription")
        return pick(self._registry.create_group(request["ModelPackageGroupName"], description), "ModelPackageGroupArn")

    def describe_group(self, request: Document) -> Document:
        """DescribeModelPackageGroup."""
        group = self._registry.group(request["ModelPackageGroupName"])
        return {name: value for name, value in group.items() if name != "LatestVersion"}

    def list_groups(self, request: Document) -> Document:
        """ListModelPackageGroups."""
        found = containing(within_times(self._registry.groups(), request), request, "ModelPackageGroupName")
        found = ordered(found, request, {"CreationTime": "CreationTime", "Name": "ModelPackageGroupName"})
        return page("ModelPackageGroupSummaryList", [pick(group, *_GROUP_SUMMARY) for group in found], request)

    def delete_group(self, request: Document) -> Document:
        """DeleteModelPackageGroup."""
        arn = self._registry.group(request["ModelPackageGroupName"])["ModelPackageGroupArn"]
        self._registry.delete_group(request["ModelPackageGroupName"])
        self._tags.forget(arn)
        return {}

    def create_package(self, request: Document) -> Document:
        """CreateModelPackage."""
        return pick(self._registry.create_package(request), "ModelPackageArn")

    def describe_package(self, request: Document) -> Document:
        """DescribeModelPackage."""
        return self._registry.package(request["ModelPackageName"])

    def list_packages(self, request: Document) -> Document:
        """ListModelPackages: oldest first, unless asked otherwise."""
        group = request.get("ModelPackageGroupName")
        name = self._registry.group(group)["ModelPackageGroupName"] if group else None
        found = containing(within_times(self._registry.packages(name), request), request, "ModelPackageName")
        status = request.get("ModelApprovalStatus")
        found = [package for package in found if status in (None, package["ModelApprovalStatus"])]
        keys = {"CreationTime": "CreationTime", "Name": "ModelPackageName"}
        found = ordered(found, request, keys, default_order="Ascending")
        return page("ModelPackageSummaryList", [pick(package, *_PACKAGE_SUMMARY) for package in found], request)

    def update_package(self, request: Document) -> Document:
        """UpdateModelPackage."""
        return pick(self._registry.update_package(request), "ModelPackageArn")

    def delete_package(self, request: Document) -> Document:
        """DeleteModelPackage."""
        arn = self._registry.package(request["ModelPackageName"])["ModelPackageArn"]
        self._registry.delete_package(request["ModelPackageName"])
        self._tags.forget(arn)
        return {}

    def create_model(self, request: Document) -> Document:
        """CreateModel."""
        rest = {name: value for name, value in request.items() if name != "ModelName"}
        return pick(self._registry.create_model(request["ModelName"], rest), "ModelArn")

    def describe_model(self, request: Document) -> Document:
        """DescribeModel."""
        return self._registry.model(request["ModelName"])

    def list_models(self, request: Document) -> Document:
        """ListModels."""
        found = containing(within_times(self._registry.models(), request), request, "ModelName")
        found = ordered(found, request, {"CreationTime": "CreationTime", "Name": "ModelName"})
        return page("Models", [pick(model, "ModelName", "ModelArn", "CreationTime") for model in found], request)

    def delete_model(self, request: Document) -> Document:
        """DeleteModel."""
        arn = self._registry.model(request["ModelName"])["ModelArn"]
        self._registry.delete_model(request["ModelName"])
        self._tags.forget(arn)
        return {}


_GROUP_SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageGroupArn",
    "ModelPackageGroupDescription",
    "CreationTime",
    "ModelPackageGroupStatus",
)
_PACKAGE_SUMMARY = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
)
