"""What a CreateTransformJob request may ask for on this machine, and what it amounts to."""

from collections.abc import Mapping
from typing import Any

from pipelines.local.database import Document
from pipelines.local.errors import ValidationError
from pipelines.local.jobs import requests
from pipelines.local.jobs.transform_data import CSV, FORMATS, DataProcessing
from pipelines.local.jobs.transform_filters import Filter, parse_filter
from pipelines.local.jobs.transform_records import MEGABYTE, Batching

DATA_TYPES = ("S3Prefix", "ManifestFile")
SPLITS = ("None", "Line")
MOST_MEGABYTES = 100
DEFAULT_MEGABYTES = 6
DEFAULT_TIMEOUT_SECONDS = 600
DEFAULT_RETRIES = 3
STRATEGIES = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}


def check(request: Document) -> None:
    """Refuse what the service would refuse beyond its model, and what this machine cannot do."""
    requests.check_instance_count(request["TransformResources"]["InstanceCount"], "TransformResources.InstanceCount")
    given = request["TransformInput"]
    source = given["DataSource"]["S3DataSource"]
    _check_choice("TransformInput.DataSource.S3DataSource.S3DataType", source["S3DataType"], DATA_TYPES)
    requests.check_uri(source["S3Uri"], "TransformInput.DataSource.S3DataSource.S3Uri")
    _check_choice("TransformInput.SplitType", given.get("SplitType", "None"), SPLITS)
    requests.check_uri(request["TransformOutput"]["S3OutputPath"], "TransformOutput.S3OutputPath")
    if "DataCaptureConfig" in request:
        raise ValidationError("DataCaptureConfig: this machine captures no data of transform jobs yet; leave it out.")
    _check_header("TransformInput.ContentType", given.get("ContentType", ""))
    _check_header("TransformOutput.Accept", request["TransformOutput"].get("Accept", ""))
    _check_payload(request)
    _check_processing(request)


def _check_choice(member: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise requests.refuse(member, value, " or ".join(map(repr, allowed)))


def _check_header(member: str, value: str) -> None:
    if not (value.isascii() and value.isprintable()):
        raise ValidationError(f"{member} is {value!r}; it is sent as a header: use printable ASCII characters.")


def _check_payload(request: Document) -> None:
    size, parallel = request.get("MaxPayloadInMB", DEFAULT_MEGABYTES), request.get("MaxConcurrentTransforms", 0)
    if size == 0:
        raise requests.refuse("MaxPayloadInMB", 0, f"1 to {MOST_MEGABYTES}")
    if size > MOST_MEGABYTES:
        raise ValidationError(f"MaxPayloadInMB is {size}; at most {MOST_MEGABYTES} is allowed.")
    if parallel * size > MOST_MEGABYTES:
        raise ValidationError(
            f"MaxConcurrentTransforms ({parallel}) * MaxPayloadInMB ({size}) is {parallel * size}; "
            f"at most {MOST_MEGABYTES} is allowed: lower one of them."
        )


def _check_processing(request: Document) -> None:
    process = processing_of(request)
    if process.changes_input or process.join:
        _check_side("ContentType", process.content_type, "SplitType", request["TransformInput"])
    if process.changes_output:
        _check_side("Accept", process.accept, "AssembleWith", request["TransformOutput"])
    if process.join and (process.content_type == CSV) != (process.accept == CSV):
        raise ValidationError(
            f"DataProcessing.JoinSource: records of {process.content_type} cannot be joined with results of "
            f"{process.accept}; set TransformInput.ContentType and TransformOutput.Accept to the same type."
        )
    for name, kind, chosen in (
        ("InputFilter", process.content_type, process.input_filter),
        ("OutputFilter", process.accept, process.output_filter),
    ):
        if kind == CSV and not chosen.is_by_position:
            reason = "the rows of a CSV have positions and no names; write $[0], $[1:] or $[0,-1]"
            raise ValidationError(f'Invalid {name}: "{chosen.text}". {CSV}: {reason}.')


def _check_side(member: str, kind: str, delimiter: str, settings: Mapping[str, Any]) -> None:
    if kind not in FORMATS:
        raise ValidationError(f"DataProcessing needs {member}; it is {kind!r}, allowed are {', '.join(FORMATS)}.")
    if kind == CSV and settings.get(delimiter) != "Line":
        raise ValidationError(f"DataProcessing with {member} {CSV} needs {delimiter}; set it to 'Line'.")


def media_type(header: str) -> str:
    """Return a content type without its parameters."""
    return header.partition(";")[0].strip().lower()


def processing_of(request: Document) -> DataProcessing:
    """Return what a request's DataProcessing does.

    Raises:
        ValidationError: a filter is no expression that the service has.
    """
    given = request.get("DataProcessing", {})
    content_type = media_type(request["TransformInput"].get("ContentType", ""))
    accept = media_type(request["TransformOutput"].get("Accept", ""))
    return DataProcessing(
        content_type=content_type,
        accept=accept,
        input_filter=_filter("InputFilter", given, content_type),
        output_filter=_filter("OutputFilter", given, accept),
        join=given.get("JoinSource") == "Input",
    )


def _filter(name: str, given: Mapping[str, str], content_type: str) -> Filter:
    text = given.get(name) or "$"
    try:
        return parse_filter(text, content_type)
    except ValueError as error:
        raise ValidationError(f'Invalid {name}: "{text}". {error}') from error


def environment_of(request: Document) -> dict[str, str]:
    """Return the variables that a request gives the model's container."""
    given = {
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": request.get("MaxPayloadInMB"),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": request.get("MaxConcurrentTransforms") or None,
        "SAGEMAKER_BATCH_STRATEGY": STRATEGIES.get(request.get("BatchStrategy", "")),
    }
    limits = {name: str(value) for name, value in given.items() if value is not None}
    return {**request.get("Environment", {}), "SAGEMAKER_BATCH": "true", **limits}


def timeout_of(request: Document) -> float:
    """Return how many seconds the model may take for an answer."""
    return float(request.get("ModelClientConfig", {}).get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT_SECONDS))


def retries_of(request: Document) -> int:
    """Return how often a failing request is sent again."""
    retries: int = request.get("ModelClientConfig", {}).get("InvocationsMaxRetries", DEFAULT_RETRIES)
    return retries


def concurrency_of(request: Document, wishes: Mapping[str, Any]) -> int:
    """Return how many requests there may be at once; `wishes` are the container's execution parameters."""
    return int(request.get("MaxConcurrentTransforms") or wishes.get("MaxConcurrentTransforms") or 1)


def batching_of(request: Document, wishes: Mapping[str, Any]) -> Batching:
    """Return how a request's objects are cut; `wishes` are the container's execution parameters."""
    given = request["TransformInput"]
    strategy = STRATEGIES.get(request.get("BatchStrategy", "")) or wishes.get("BatchStrategy")
    megabytes = request.get("MaxPayloadInMB") or wishes.get("MaxPayloadInMB") or DEFAULT_MEGABYTES
    return Batching(
        split=given.get("SplitType", "None") == "Line",
        single=strategy == STRATEGIES["SingleRecord"],
        limit=min(int(megabytes), MOST_MEGABYTES) * MEGABYTE,
        compressed=given.get("CompressionType") == "Gzip",
        process=processing_of(request),
    )
