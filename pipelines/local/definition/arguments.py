"""The arguments of a step, checked beside the input shape of the operation that they are for."""

from collections.abc import Callable
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from pipelines.local.definition.functions import Use, check_expression
from pipelines.local.definition.members import ARRAY_EXPECTED, OBJECT_EXPECTED, json_type
from pipelines.local.definition.place import Place, Refusal, did_you_mean
from pipelines.local.definition.references import expression_kind


def check_arguments(
    arguments: Any, shape: StructureShape, place: Place, uses: list[Use], *, job_name: str, named: bool
) -> None:
    """Check a step's arguments and add the references in them to `uses`.

    Unknown members, JSON types, enums, lengths and required members are checked as deep as the shape goes; an
    expression may stand for any value. The job's name is made by the service: `job_name` is not required, and
    allowed only where it is a prefix (`named`).
    """
    if not isinstance(arguments, dict):
        raise Refusal(OBJECT_EXPECTED, place, hint=f"'Arguments' is {json_type(arguments)}")
    if job_name in arguments and not named:
        raise _unknown(job_name, place, [name for name in shape.members if name != job_name])
    _check_structure(arguments, shape, place, uses, optional=job_name)


def _unknown(name: str, place: Place, known: list[str]) -> Refusal:
    return Refusal(f"Unknown Argument member '{name}'.", (place, name), hint=did_you_mean(name, known))


def _check(value: Any, shape: Shape, place: Place, uses: list[Use]) -> None:
    if isinstance(value, dict) and (kind := expression_kind(value)):
        check_expression(value, kind, place, uses)
        return
    _CHECKS[shape.type_name](value, shape, place, uses)


def _check_structure(value: Any, shape: StructureShape, place: Place, uses: list[Use], *, optional: str = "") -> None:
    if not isinstance(value, dict):
        raise Refusal(OBJECT_EXPECTED, place, hint=f"'{shape.name}' is an object, found {json_type(value)}")
    members = shape.members
    for name, item in value.items():
        if name not in members:
            raise _unknown(name, place, list(members))
        _check(item, members[name], (place, name), uses)
    for name in shape.required_members:
        if name not in value and name != optional:
            raise Refusal(f"Missing required Argument member '{name}'.", place)


def _check_list(value: Any, shape: ListShape, place: Place, uses: list[Use]) -> None:
    if not isinstance(value, list):
        raise Refusal(ARRAY_EXPECTED, place, hint=f"'{shape.name}' is an array, found {json_type(value)}")
    _check_size(len(value), "entries", shape, place)
    for index, item in enumerate(value):
        _check(item, shape.member, (place, index), uses)


def _check_map(value: Any, shape: MapShape, place: Place, uses: list[Use]) -> None:
    if not isinstance(value, dict):
        raise Refusal(OBJECT_EXPECTED, place, hint=f"'{shape.name}' is an object, found {json_type(value)}")
    _check_size(len(value), "entries", shape, place)
    for key, item in value.items():
        _check_string(key, shape.key, (place, key), uses)
        _check(item, shape.value, (place, key), uses)


def _check_string(value: Any, shape: Shape, place: Place, uses: list[Use]) -> None:
    if not isinstance(value, str):
        raise Refusal("Expecting a string.", place, hint=f"'{shape.name}' is a string, found {json_type(value)}")
    _check_size(len(value), "characters", shape, place)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        reason = f"Value '{value:.200}' for '{shape.name}' failed to satisfy enum value set: [{', '.join(allowed)}]"
        raise Refusal(f"Model Validation failed: {reason}", place)


def _check_integer(value: Any, shape: Shape, place: Place, uses: list[Use]) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal("Expecting an integer.", place, hint=f"'{shape.name}' is an integer, found {json_type(value)}")
    _check_size(value, "", shape, place)


def _check_float(value: Any, shape: Shape, place: Place, uses: list[Use]) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Refusal("Expecting a number.", place, hint=f"'{shape.name}' is a number, found {json_type(value)}")
    _check_size(value, "", shape, place)


def _check_boolean(value: Any, shape: Shape, place: Place, uses: list[Use]) -> None:
    if not isinstance(value, bool):
        raise Refusal("Expecting true or false.", place, hint=f"'{shape.name}' is a boolean, found {json_type(value)}")


def _check_size(size: float, unit: str, shape: Shape, place: Place) -> None:
    limits = shape.metadata
    if limits.get("min", size) <= size <= limits.get("max", size):
        return
    found = f"has {size} {unit}" if unit else f"is {size}"
    allowed = f"at most {limits['max']}" if size > limits.get("max", size) else f"at least {limits['min']}"
    raise Refusal(f"Model Validation failed: '{shape.name}' {found}; {allowed} allowed.", place)


def _check_nothing(value: Any, shape: Shape, place: Place, uses: list[Use]) -> None:
    """Leave timestamps and blobs to the operation itself."""


_CHECKS: dict[str, Callable[[Any, Any, Place, list[Use]], None]] = {
    "structure": _check_structure,
    "list": _check_list,
    "map": _check_map,
    "string": _check_string,
    "character": _check_string,
    "integer": _check_integer,
    "long": _check_integer,
    "float": _check_float,
    "double": _check_float,
    "boolean": _check_boolean,
    "timestamp": _check_nothing,
    "blob": _check_nothing,
}
