"""The model registry: model package groups, their versioned packages, and models."""

import time
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from pipelines.local.database import AlreadyExists, Database, Document
from pipelines.local.errors import ConflictError, ResourceNotFound, ValidationError

GROUP = "model-package-group"
PACKAGE = "model-package"
MODEL = "model"
DEFAULT_APPROVAL = "PendingManualApproval"


class Registry:
    """Model package groups and packages, and models, kept as the service describes them."""

    def __init__(self, database: Database, arn: Callable[[str], str]) -> None:
        self._database = database
        self._arn = arn

    def create_group(self, name: str, description: str | None = None) -> Document:
        """Create a model package group.

        Raises:
            ValidationError: the group exists.
        """
        group = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupArn": self._arn(f"{GROUP}/{name}"),
            "CreationTime": time.time(),
            "CreatedBy": {},
            "ModelPackageGroupStatus": "Completed",
        }
        if description:
            group["ModelPackageGroupDescription"] = description
        try:
            self._database.insert(GROUP, name, group)
        except AlreadyExists as error:
            raise ValidationError(f"Model Package Group already exists: {group['ModelPackageGroupArn']}") from error
        return group

    def group(self, name_or_arn: str) -> Document:
        """Describe a group, by name or ARN."""
        name = name_or_arn.rsplit("/", 1)[-1]
        group = self._database.get(GROUP, name)
        if group is None:
            raise ResourceNotFound(f"Model package group {name} does not exist.")
        return group

    def groups(self) -> list[Document]:
        """Return all groups, oldest first."""
        return self._database.list(GROUP)

    def delete_group(self, name_or_arn: str) -> None:
        """Delete an empty group."""
        with self._database.transaction():
            name = self.group(name_or_arn)["ModelPackageGroupName"]
            if self.packages(name):
                raise ConflictError(f"Model package group {name} still has model packages: delete those first.")
            self._database.delete(GROUP, name)

    def create_package(self, request: Document) -> Document:
        """Add the next version to an existing group; `request` is that of CreateModelPackage."""
        if not request.get("ModelPackageGroupName"):
            raise ValidationError("ModelPackageGroupName is missing: this machine keeps versioned packages only.")
        with self._database.transaction():
            group = self.group(request["ModelPackageGroupName"])
            package = self._describe_new(group, request)
            self._database.insert(PACKAGE, _package_key(package), package)
        return package

    def _describe_new(self, group: Document, request: Document) -> Document:
        name = group["ModelPackageGroupName"]
        version = group.get("LatestVersion", 0) + 1
        self._database.update(GROUP, name, LatestVersion=version)
        now = time.time()
        return {
            **{key: value for key, value in request.items() if key not in ("Tags", "ClientToken")},
            "ModelPackageName": name,
            "ModelPackageGroupName": name,
            "ModelPackageVersion": version,
            "ModelPackageArn": self._arn(f"{PACKAGE}/{name}/{version}"),
            "CreationTime": now,
            "LastModifiedTime": now,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "ModelApprovalStatus": request.get("ModelApprovalStatus", DEFAULT_APPROVAL),
        }

    def package(self, arn: str) -> Document:
        """Describe a package by its ARN."""
        path = PurePosixPath(arn.rsplit(":", 1)[-1])
        if len(path.parts) == 3 and path.parts[0] == PACKAGE and path.parts[2].isdecimal():
            package = self._database.get(PACKAGE, f"{path.parts[1]}/{int(path.parts[2]):08d}")
            if package is not None:
                return package
        raise ResourceNotFound(f"Model package {arn} does not exist.")

    def packages(self, group: str | None = None) -> list[Document]:
        """Return the packages of a group, or of all groups, oldest first."""
        return self._database.list(PACKAGE, f"{group}/" if group else "")

    def update_package(self, request: Document) -> Document:
        """Change a package; `request` is that of UpdateModelPackage."""
        changes = {key: value for key, value in request.items() if key not in _NOT_KEPT_ON_UPDATE}
        with self._database.transaction():
            package = self.package(request["ModelPackageArn"])
            properties: dict[str, Any] = {
                **package.get("CustomerMetadataProperties", {}),
                **request.get("CustomerMetadataProperties", {}),
            }
            for key in request.get("CustomerMetadataPropertiesToRemove", ()):
                properties.pop(key, None)
            if properties or "CustomerMetadataProperties" in package:
                changes["CustomerMetadataProperties"] = properties
            additional = request.get("AdditionalInferenceSpecificationsToAdd")
            if additional:
                name = "AdditionalInferenceSpecifications"
                changes[name] = [*package.get(name, []), *additional]
            return self._database.update(PACKAGE, _package_key(package), **changes, LastModifiedTime=time.time())

    def delete_package(self, arn: str) -> None:
        """Delete a package; its version number is not used again."""
        with self._database.transaction():
            self._database.delete(PACKAGE, _package_key(self.package(arn)))

    def create_model(self, name: str, request: Document) -> Document:
        """Create a model; `request` is that of CreateModel without its name.

        Raises:
            ValidationError: the model exists, or what it stands on does not, or is a package that is not Approved.
        """
        model = {
            **{key: value for key, value in request.items() if key != "Tags"},
            "ModelName": name,
            "ModelArn": self._arn(f"{MODEL}/{name}"),
            "CreationTime": time.time(),
        }
        with self._database.transaction():
            for member in ("PrimaryContainer", "Containers"):
                found = request.get(member, [])
                for container in [found] if isinstance(found, dict) else found:
                    self._check_container(container, member)
            try:
                self._database.insert(MODEL, name, model)
            except AlreadyExists as error:
                raise ValidationError(f'Cannot create already existing model "{model["ModelArn"]}".') from error
        return model

    def _check_container(self, container: Document, member: str) -> None:
        if "ModelPackageName" in container:
            self._check_approved(container["ModelPackageName"])
        elif "Image" not in container:
            raise ValidationError(f"{member}: there is neither an Image nor a ModelPackageName; give one of them.")

    def _check_approved(self, arn: str) -> None:
        try:
            package = self.package(arn)
        except ResourceNotFound as error:
            raise ValidationError(error.message) from error
        if package["ModelPackageArn"] != arn:
            raise ValidationError(f"Model package {arn} does not exist; did you mean {package['ModelPackageArn']}?")
        status = package["ModelApprovalStatus"]
        if status != "Approved":
            raise ValidationError(f"Model package {arn} is {status}; a model needs an Approved one: approve it first.")

    def model(self, name: str) -> Document:
        """Describe a model."""
        model = self._database.get(MODEL, name)
        if model is None:
            raise ValidationError(f'Could not find model "{self._arn(f"{MODEL}/{name}")}".')
        return model

    def models(self) -> list[Document]:
        """Return all models, oldest first."""
        return self._database.list(MODEL)

    def delete_model(self, name: str) -> None:
        """Delete a model."""
        with self._database.transaction():
            self._database.delete(MODEL, self.model(name)["ModelName"])


_NOT_KEPT_ON_UPDATE = {
    "ModelPackageArn",
    "ClientToken",
    "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove",
    "AdditionalInferenceSpecificationsToAdd",
}


def _package_key(package: Document) -> str:
    return f"{package['ModelPackageGroupName']}/{package['ModelPackageVersion']:08d}"
