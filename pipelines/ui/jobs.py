"""The jobs behind steps, and what steps make without one: what went in, with which settings, and what came out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

    from pipelines.delivery.run import Site

Description = Mapping[str, Any]
MOST_FILES = 12
_NOT_SHOWN = ("ResponseMetadata",)


@dataclass(frozen=True)
class File:
    """An object below a place of data: its name there and its bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Data:
    """What a job reads or writes: where it is kept, and where its container sees it."""

    name: str
    uri: str
    inside: str = ""
    place: str = ""
    files: tuple[File, ...] = ()
    has_more: bool = False


@dataclass(frozen=True)
class Job:
    """A job, a model or a model package, as the service describes it."""

    kind: str
    name: str
    status: str = ""
    failure: str | None = None
    inputs: tuple[Data, ...] = ()
    outputs: tuple[Data, ...] = ()
    container: Mapping[str, str] = field(default_factory=dict)
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    description: Description = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The service's description, as JSON."""
        return json.dumps(self.description, indent=2, default=str, ensure_ascii=False)


def read_job(site: Site, step_type: str, arn: str) -> Job | None:
    """Return what a step of a type made, by its ARN; none for a type that makes nothing, or when it is gone."""
    kind = _KINDS.get(step_type)
    if kind is None:
        return None
    name = arn.rpartition("/")[2]
    try:
        found = kind.describe(site.client, arn if step_type == "RegisterModel" else name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"ResourceNotFound", "ValidationException"}:
            raise
        return None
    description = {key: value for key, value in found.items() if key not in _NOT_SHOWN}
    definition = description.get("TrainingJobDefinition", description)
    return Job(
        kind=step_type,
        name=name,
        status=description.get(kind.status, ""),
        failure=description.get("FailureReason") or description.get("ExitMessage"),
        inputs=tuple(_listed(site, data) for data in kind.inputs(description)),
        outputs=tuple(_listed(site, data) for data in kind.outputs(description)),
        container=dict(kind.container(description)),
        hyperparameters=description.get("HyperParameters") or definition.get("StaticHyperParameters") or {},
        environment=definition.get("Environment") or _first_container(description).get("Environment") or {},
        metrics={each["MetricName"]: float(each["Value"]) for each in description.get("FinalMetricDataList", ())},
        description=description,
    )


def _listed(site: Site, data: Data) -> Data:
    """Return data with the files that are there."""
    bucket, _, key = data.uri.removeprefix("s3://").partition("/")
    folder = key.rstrip("/") + "/"
    try:
        found: Description = site.s3.list_objects_v2(Bucket=bucket, Prefix=folder, MaxKeys=MOST_FILES)
    except ClientError:
        found = {}
    files = tuple(File(each["Key"].removeprefix(folder), each["Size"]) for each in found.get("Contents", ()))
    if not files and not key.endswith("/"):
        files = tuple(_object(site, bucket, key))
    place = site.places.artifact(data.uri) if site.places.root else ""
    return Data(data.name, data.uri, data.inside, place, files, found.get("IsTruncated", False))


def _object(site: Site, bucket: str, key: str) -> Iterator[File]:
    try:
        yield File(key.rpartition("/")[2], site.s3.head_object(Bucket=bucket, Key=key)["ContentLength"])
    except ClientError:
        return


@dataclass(frozen=True)
class _Kind:
    """How the service describes what a type of step makes."""

    describe: Callable[[SageMakerClient, str], Any]
    status: str
    inputs: Callable[[Description], Iterator[Data]]
    outputs: Callable[[Description], Iterator[Data]]
    container: Callable[[Description], Iterator[tuple[str, str]]]


def _processing_inputs(found: Description) -> Iterator[Data]:
    for each in found.get("ProcessingInputs", ()):
        source = each.get("S3Input", {})
        yield Data(each["InputName"], source.get("S3Uri", ""), source.get("LocalPath", ""))


def _processing_outputs(found: Description) -> Iterator[Data]:
    for each in found.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        target = each.get("S3Output", {})
        yield Data(each["OutputName"], target.get("S3Uri", ""), target.get("LocalPath", ""))


def _processing_container(found: Description) -> Iterator[tuple[str, str]]:
    specification = found.get("AppSpecification", {})
    cluster = found.get("ProcessingResources", {}).get("ClusterConfig", {})
    yield from _texts(
        image=specification.get("ImageUri"),
        command=" ".join([*specification.get("ContainerEntrypoint", ()), *specification.get("ContainerArguments", ())]),
        instance=_instance(cluster),
        role=found.get("RoleArn"),
    )


def _channels(found: Description) -> Iterator[Data]:
    for each in found.get("TrainingJobDefinition", found).get("InputDataConfig", ()):
        uri = each.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", "")
        yield Data(each["ChannelName"], uri, f"/opt/ml/input/data/{each['ChannelName']}")


def _model(found: Description) -> Iterator[Data]:
    uri = found.get("ModelArtifacts", {}).get("S3ModelArtifacts") or _first_container(found).get("ModelDataUrl")
    if uri:
        yield Data("model", uri, "/opt/ml/model")


def _training_container(found: Description) -> Iterator[tuple[str, str]]:
    definition = found.get("TrainingJobDefinition", found)
    algorithm, config = definition.get("AlgorithmSpecification", {}), found.get("HyperParameterTuningJobConfig", {})
    seconds = found.get("BillableTimeInSeconds")
    yield from _texts(
        image=algorithm.get("TrainingImage"),
        strategy=config.get("Strategy"),
        instance=_instance(definition.get("ResourceConfig", {})),
        role=definition.get("RoleArn"),
        billed=f"{seconds} s" if seconds is not None else None,
    )


def _transform_inputs(found: Description) -> Iterator[Data]:
    source = found.get("TransformInput", {}).get("DataSource", {}).get("S3DataSource", {})
    yield Data("data", source.get("S3Uri", ""))


def _transform_outputs(found: Description) -> Iterator[Data]:
    yield Data("output", found.get("TransformOutput", {}).get("S3OutputPath", ""))


def _transform_container(found: Description) -> Iterator[tuple[str, str]]:
    yield from _texts(model=found.get("ModelName"), instance=_instance(found.get("TransformResources", {})))


def _model_container(found: Description) -> Iterator[tuple[str, str]]:
    metadata = found.get("MetadataProperties", {})
    yield from _texts(
        image=_first_container(found).get("Image"),
        role=found.get("ExecutionRoleArn"),
        approval=found.get("ModelApprovalStatus"),
        commit=metadata.get("CommitId"),
        **{name: str(value) for name, value in found.get("CustomerMetadataProperties", {}).items()},
    )


def _nothing(_: Description) -> Iterator[Data]:
    return iter(())


def _first_container(found: Description) -> Description:
    specified = found.get("InferenceSpecification", {}).get("Containers") or found.get("Containers")
    return next(iter(specified or ()), None) or found.get("PrimaryContainer") or {}


def _instance(cluster: Description) -> str | None:
    if not cluster.get("InstanceType"):
        return None
    return f"{cluster.get('InstanceCount', 1)} × {cluster['InstanceType']}"


def _texts(**values: str | None) -> Iterator[tuple[str, str]]:
    yield from ((name, value) for name, value in values.items() if value)


_KINDS: Mapping[str, _Kind] = {
    "Processing": _Kind(
        lambda client, name: client.describe_processing_job(ProcessingJobName=name),
        "ProcessingJobStatus",
        _processing_inputs,
        _processing_outputs,
        _processing_container,
    ),
    "Training": _Kind(
        lambda client, name: client.describe_training_job(TrainingJobName=name),
        "TrainingJobStatus",
        _channels,
        _model,
        _training_container,
    ),
    "Tuning": _Kind(
        lambda client, name: client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
        "HyperParameterTuningJobStatus",
        _channels,
        _nothing,
        _training_container,
    ),
    "Transform": _Kind(
        lambda client, name: client.describe_transform_job(TransformJobName=name),
        "TransformJobStatus",
        _transform_inputs,
        _transform_outputs,
        _transform_container,
    ),
    "Model": _Kind(lambda client, name: client.describe_model(ModelName=name), "", _model, _nothing, _model_container),
    "RegisterModel": _Kind(
        lambda client, arn: client.describe_model_package(ModelPackageName=arn),
        "ModelPackageStatus",
        _model,
        _nothing,
        _model_container,
    ),
}
