"""The values of a pipeline's parameters when an execution starts."""

import math
import re
from collections.abc import Iterable, Mapping

from pipelines.local.definition.document import Definition, Parameter
from pipelines.local.definition.parameters import LARGEST_INTEGER
from pipelines.local.definition.place import did_you_mean, one_line
from pipelines.local.errors import ValidationError

Value = str | int | float | bool

LONGEST_VALUE = 1024
INTEGERS = range(-LARGEST_INTEGER - 1, LARGEST_INTEGER + 1)

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_BOOLEANS = {"true": True, "false": False}


def bind_parameters(definition: Definition, given: Mapping[str, str]) -> dict[str, Value]:
    """Return the value of every declared parameter: what is given, read by its type, else the default.

    Raises:
        ValidationError: a name is not declared, a value is missing, empty, not of the type, or not in the enum.
    """
    _refuse_unknown(given, definition.parameters)
    _refuse_missing(given, definition.parameters.values())
    return {
        name: _read(parameter, given[name]) if name in given else _default(parameter)
        for name, parameter in definition.parameters.items()
    }


def _refuse_unknown(given: Mapping[str, str], declared: Mapping[str, Parameter]) -> None:
    for name in given:
        if name not in declared:
            hint = did_you_mean(name, declared) or f"the pipeline declares {len(declared)} parameters"
            raise ValidationError(one_line(f"Unknown parameter '{name:.256}' ({hint})."))


def _refuse_missing(given: Mapping[str, str], declared: Iterable[Parameter]) -> None:
    missing = [p.name for p in declared if p.default is None and p.name not in given]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        what = "Parameter" if len(missing) == 1 else "Parameters"
        raise ValidationError(f"{what} {names} must be given a value: the definition has no default.")


def _default(parameter: Parameter) -> Value:
    assert parameter.default is not None, "missing values were refused before"
    return parameter.default


def _read(parameter: Parameter, text: str) -> Value:
    if not text:
        raise ValidationError(
            f"Invalid value for parameter '{parameter.name}': "
            'string "" is too short (length: 0, required minimum: 1); leave it out to use the default.'
        )
    if len(text) > LONGEST_VALUE:
        raise _invalid(parameter, text, f"at most {LONGEST_VALUE} characters are allowed")
    if parameter.type == "String":
        return _read_string(parameter, text)
    if parameter.type == "Boolean":
        return _read_boolean(parameter, text)
    return _read_integer(parameter, text) if parameter.type == "Integer" else _read_float(parameter, text)


def _invalid(parameter: Parameter, text: str, allowed: str) -> ValidationError:
    return ValidationError(one_line(f"Invalid value '{text:.100}' for parameter '{parameter.name}': {allowed}."))


def _read_string(parameter: Parameter, text: str) -> str:
    if parameter.enum and text not in parameter.enum:
        raise _invalid(parameter, text, f"it must be one of {', '.join(parameter.enum)}")
    return text


def _read_boolean(parameter: Parameter, text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise _invalid(parameter, text, "a Boolean is true or false")
    return _BOOLEANS[text.lower()]


def _read_integer(parameter: Parameter, text: str) -> int:
    if not _INTEGER.fullmatch(text) or int(text) not in INTEGERS:
        raise _invalid(parameter, text, "an Integer is a whole number of 64 bits, such as 7")
    return int(text)


def _read_float(parameter: Parameter, text: str) -> float:
    if not _FLOAT.fullmatch(text) or math.isinf(float(text)):
        raise _invalid(parameter, text, "a Float is a finite number, such as 0.85")
    return float(text)
