"""Expressions replaced by their values."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.local.definition.references import Reference, expression_kind, parse_json_path, parse_reference
from pipelines.local.errors import ServiceError, StepFailure
from pipelines.local.expressions.jsonpath import follow, parse_json

UNAVAILABLE = (ServiceError, StepFailure, OSError)


@dataclass(frozen=True)
class Scope:
    """What expressions can see while a step is being prepared.

    `properties` maps a step's name to its Describe document, `property_file` a step's and a property file's name to
    an S3 URI, and `read` an S3 URI to the object's bytes; each raises a ServiceError, StepFailure or OSError
    for what is not there.
    """

    parameters: Mapping[str, Any]
    execution: Mapping[str, Any]
    properties: Callable[[str], Any]
    property_file: Callable[[str, str], str]
    read: Callable[[str], bytes]
    experiment_config: Mapping[str, Any] = field(default_factory=dict)


def resolve(value: Any, scope: Scope) -> Any:
    """Return a JSON value with every expression in it replaced by its value.

    Raises:
        StepFailure: an expression has no value; the message is one line that names it.
    """
    if isinstance(value, dict):
        kind = expression_kind(value)
        if kind is None:
            return {key: resolve(item, scope) for key, item in value.items()}
        return _FUNCTIONS[kind](value[kind], scope)
    if isinstance(value, list):
        return [resolve(item, scope) for item in value]
    return value


def as_text(value: Any) -> str:
    """Write a value as Std:Join does: integers unpadded, booleans in lower case.

    Raises:
        StepFailure: the value is an object, an array or null.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    kind = "null" if value is None else "an object" if isinstance(value, dict) else "an array"
    raise StepFailure(f"Std:Join takes strings, numbers and booleans, not {kind}")


def _get(text: str, scope: Scope) -> Any:
    reference = parse_reference(text)
    if reference.root == "Steps":
        return follow(_properties(reference, scope), reference.path, source=f"{text} has no value", by_name=True)
    values = {
        "Parameters": scope.parameters,
        "Execution": scope.execution,
        "PipelineExperimentConfig": scope.experiment_config,
    }[reference.root]
    if reference.name not in values:
        raise StepFailure(f"{text} has no value in this execution")
    return values[reference.name]


def _properties(reference: Reference, scope: Scope) -> Any:
    try:
        return scope.properties(reference.name)
    except (*UNAVAILABLE, LookupError) as error:
        raise StepFailure(f"{reference} has no value: step '{reference.name}' has no properties ({error})") from error


def _join(arguments: Mapping[str, Any], scope: Scope) -> str:
    parts: list[str] = []
    for item in arguments["Values"]:
        try:
            parts.append(as_text(resolve(item, scope)))
        except StepFailure as failure:
            named = f"{item['Get']}: {failure}" if isinstance(item, dict) and "Get" in item else str(failure)
            raise StepFailure(named) from failure
    return (arguments.get("On") or "").join(parts)


def _json_get(arguments: Mapping[str, Any], scope: Scope) -> Any:
    path = str(resolve(arguments["Path"], scope))
    uri = _file_uri(arguments, scope)
    source = f"Std:JsonGet of '{path}' in {uri}"
    try:
        content = scope.read(uri)
    except UNAVAILABLE as error:
        raise StepFailure(f"{source}: the file cannot be read: {error}") from error
    try:
        segments = parse_json_path(path)
    except ValueError as error:
        raise StepFailure(f"{source}: {error}") from error
    value = follow(parse_json(content, source), segments, source=source)
    if isinstance(value, float) and not math.isfinite(value):
        raise StepFailure(f"{source}: the value is {value}, which is no JSON number")
    return value


def _file_uri(arguments: Mapping[str, Any], scope: Scope) -> str:
    if arguments.get("PropertyFile") is None:
        return str(resolve(arguments["S3Uri"], scope))
    reference = parse_reference(arguments["PropertyFile"]["Get"])
    try:
        return scope.property_file(reference.name, str(reference.path[1]))
    except (*UNAVAILABLE, LookupError) as error:
        raise StepFailure(f"{reference} has no value: {error}") from error


_FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {"Get": _get, "Std:Join": _join, "Std:JsonGet": _json_get}
