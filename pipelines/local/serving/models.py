"""What a Model of the registry gives a container that serves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.local.containers.images import runtime_of
from pipelines.local.database import Database, Document
from pipelines.local.errors import ValidationError
from pipelines.local.registry import Registry

PACKED = {"S3DataType": "S3Object", "CompressionType": "Gzip"}

REFUSED = ("AdditionalModelDataSources", "InferenceSpecificationName", "MultiModelConfig")
MULTI_MODEL = ("Mode", "MultiModel")


@dataclass(frozen=True)
class HostedModel:
    """A model's container: its image, the S3 URI of its model.tar.gz, if it has one, and its variables."""

    name: str
    image: str
    data: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def hosted_model(database: Database, name: str) -> HostedModel:
    """Return what a Model serves; one that stands on a model package has what that says, and its own variables win.

    Raises:
        ServiceError: there is no such model or package, or this machine cannot serve it.
    """
    registry = Registry(database, lambda resource: resource.partition("/")[2])
    container = only_container(registry.model(name), name)
    packaged: Document = {}
    if "ModelPackageName" in container:
        packaged = registry.package(container["ModelPackageName"])["InferenceSpecification"]["Containers"][0]
    environment = {**packaged.get("Environment", {}), **container.get("Environment", {})}
    merged = {**packaged, **container}
    runtime_of(merged["Image"])
    return HostedModel(name, merged["Image"], data_of(merged, name), environment)


def only_container(model: Document, name: str) -> Document:
    """Return the one container of a model.

    Raises:
        ValidationError: it has several, or none, or one with more than one model.
    """
    primary = [model["PrimaryContainer"]] if "PrimaryContainer" in model else []
    containers: list[Document] = model.get("Containers") or primary
    if len(containers) != 1:
        raise ValidationError(
            f"Model '{name}' has {len(containers)} containers; this machine serves models with one container."
        )
    for member, value in containers[0].items():
        if member in REFUSED or (member, value) == MULTI_MODEL:
            raise ValidationError(
                f"Model '{name}': {member} is {value!r}, which this machine does not do yet; leave it out."
            )
    return containers[0]


def data_of(container: Document, name: str) -> str | None:
    """Return the URI of a container's model.tar.gz.

    Raises:
        ValidationError: its model is not packed.
    """
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        return container.get("ModelDataUrl")
    if any(source.get(member) != value for member, value in PACKED.items()):
        raise ValidationError(
            f"Model '{name}': ModelDataSource with S3DataType {source.get('S3DataType')} and CompressionType "
            f"{source.get('CompressionType')} is not supported on this machine; give one model.tar.gz: S3Object and "
            "Gzip, or ModelDataUrl."
        )
    uri: str = source["S3Uri"]
    return uri
