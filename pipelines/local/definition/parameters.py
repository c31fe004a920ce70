"""The `Parameters` section of a definition."""

import re
import sys
from typing import Any, get_args

from pipelines.local.definition.document import Parameter, ParameterType
from pipelines.local.definition.members import Members, json_type
from pipelines.local.definition.place import Place, Refusal

NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")
MEMBERS = ("Name", "Type", "DefaultValue", "EnumValues", "Description")
TYPES: tuple[ParameterType, ...] = get_args(ParameterType)
PYTHON_TYPES: dict[ParameterType, type] = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
LARGEST_FLOAT = sys.float_info.max
# As wide as the service's own integers: what does not fit is a mistake, not a number.
LARGEST_INTEGER = 2**63 - 1
MOST_PARAMETERS = 200
MOST_ENUM_VALUES = 16
LONGEST_TEXT = 4096


def read_parameters(values: list[Any], place: Place) -> dict[str, Parameter]:
    """Read the declared parameters by name."""
    if len(values) > MOST_PARAMETERS:
        raise Refusal(f"{len(values)} parameters are declared; at most {MOST_PARAMETERS} are allowed.", place)
    parameters: dict[str, Parameter] = {}
    for index, value in enumerate(values):
        parameter = _read_parameter(value, (place, index))
        if parameter.name in parameters:
            raise Refusal(f"Duplicate parameter name '{parameter.name}'.", (place, index))
        parameters[parameter.name] = parameter
    return parameters


def _read_parameter(value: Any, place: Place) -> Parameter:
    members = Members(value, place, MEMBERS)
    name = members.name("Name", NAME)
    kind = _type_of(members)
    enum = _enum_of(members, name, kind)
    default = _default_of(members, name, kind)
    if enum and default is not None and default not in enum:
        hint = f"EnumValues are: {', '.join(enum)}"
        raise Refusal(f"Default {default!r:.300} of parameter '{name}' is not allowed.", place, hint=hint)
    return Parameter(name, kind, default, enum, members.text("Description") or "")


def _type_of(members: Members) -> ParameterType:
    if members.value.get("Type") is None:
        return "String"
    given = members.choice("Type", TYPES)
    return next(kind for kind in TYPES if kind == given)


def _enum_of(members: Members, name: str, kind: ParameterType) -> tuple[str, ...]:
    values = members.list("EnumValues")
    if values and kind != "String":
        raise Refusal(f"EnumValues of parameter '{name}' need the type String, not {kind}.", members.at("EnumValues"))
    if len(values) > MOST_ENUM_VALUES:
        reason = f"Parameter '{name}' has {len(values)} EnumValues; at most {MOST_ENUM_VALUES} are allowed."
        raise Refusal(reason, members.at("EnumValues"))
    for index, value in enumerate(values):
        if not isinstance(value, str):
            hint = f"found {json_type(value)}"
            raise Refusal(
                f"EnumValues of parameter '{name}' must be strings.", (members.at("EnumValues"), index), hint=hint
            )
    return tuple(values)


def _default_of(members: Members, name: str, kind: ParameterType) -> str | int | float | bool | None:
    value: Any = members.value.get("DefaultValue")
    if value is None:
        return None
    allowed = {int, float} if kind == "Float" else {PYTHON_TYPES[kind]}
    if type(value) not in allowed:
        hint = f"found {json_type(value)}"
        raise Refusal(f"Default of parameter '{name}' is not of type {kind}.", members.at("DefaultValue"), hint=hint)
    if kind == "String":
        return members.text("DefaultValue", longest=LONGEST_TEXT)
    if kind == "Boolean":
        return members.flag("DefaultValue")
    if kind == "Integer":
        members.number("DefaultValue", least=-LARGEST_INTEGER - 1, most=LARGEST_INTEGER)
        return int(value)
    members.number("DefaultValue", least=-LARGEST_FLOAT, most=LARGEST_FLOAT)
    return float(value)
