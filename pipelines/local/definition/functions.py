"""The grammar of expressions: `Get`, `Std:Join` and `Std:JsonGet`."""

from dataclasses import dataclass
from typing import Any

from pipelines.local.definition.members import Members, json_type
from pipelines.local.definition.place import Place, Refusal, check_depth
from pipelines.local.definition.references import (
    Reference,
    expression_kind,
    parse_json_path,
    parse_reference,
)


@dataclass(frozen=True, slots=True)
class Use:
    """A reference and where it stands; only a JsonGet may take a property file."""

    reference: Reference
    place: Place
    takes_property_file: bool = False


def check_expression(value: dict[str, Any], kind: str, place: Place, uses: list[Use]) -> None:
    """Check an expression object and add the references in it to `uses`."""
    check_depth(place)
    if kind == "Get":
        _check_get(value, place, uses)
    elif kind == "Std:Join":
        _check_join(value[kind], (place, kind), uses)
    else:
        _check_json_get(value[kind], (place, kind), uses)


def check_operand(value: Any, place: Place, uses: list[Use]) -> None:
    """Check a string, number or boolean, or an expression in its place."""
    if isinstance(value, dict) and (kind := expression_kind(value)):
        check_expression(value, kind, place, uses)
    elif value is None or isinstance(value, dict | list):
        hint = f"found {json_type(value)}"
        raise Refusal("Expecting a string, a number, a boolean or an expression.", place, hint=hint)


def _check_get(value: dict[str, Any], place: Place, uses: list[Use], *, takes_property_file: bool = False) -> None:
    target = value["Get"]
    if not isinstance(target, str):
        raise Refusal("Expecting a string for 'Get'.", (place, "Get"), hint=f"found {json_type(target)}")
    try:
        uses.append(Use(parse_reference(target), place, takes_property_file))
    except ValueError as error:
        raise Refusal(str(error), place) from error


def _check_join(value: Any, place: Place, uses: list[Use]) -> None:
    join = Members(value, place, ("On", "Values"))
    join.text("On")
    join.any("Values")
    for index, item in enumerate(join.list("Values")):
        check_operand(item, (join.at("Values"), index), uses)


def _check_json_get(value: Any, place: Place, uses: list[Use]) -> None:
    get = Members(value, place, ("PropertyFile", "S3Uri", "Path"))
    path = get.any("Path")
    if isinstance(path, dict):
        check_operand(path, get.at("Path"), uses)
    else:
        _check_json_path(get)
    source, uri = get.value.get("PropertyFile"), get.value.get("S3Uri")
    if (source is None) == (uri is None):
        raise Refusal("Std:JsonGet takes exactly one of 'PropertyFile' and 'S3Uri'.", place)
    if uri is not None:
        check_operand(uri, get.at("S3Uri"), uses)
    elif isinstance(source, dict) and expression_kind(source) == "Get":
        _check_get(source, get.at("PropertyFile"), uses, takes_property_file=True)
    else:
        hint = "write {'Get': 'Steps.<step>.PropertyFiles.<name>'}"
        raise Refusal("Expecting a reference to a property file.", get.at("PropertyFile"), hint=hint)


def _check_json_path(get: Members) -> None:
    try:
        parse_json_path(get.text("Path") or "")
    except ValueError as error:
        raise Refusal(str(error), get.at("Path")) from error
