"""Parameter values of a run, checked against the definition before anything is written or paid for."""

import math
import re

from pipelines.delivery.definition import Parameter, Run
from pipelines.delivery.errors import UsageError

LONGEST_VALUE = 1024
# As wide as the service's own integers.
INTEGERS = range(-(2**63), 2**63)

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")


def check_parameters(run: Run) -> None:
    """Refuse values that the service would refuse at the start, when the pipeline was already updated."""
    if not run.definition.declares_parameters_well:
        # The service refuses the definition before it looks at any value, and says where its mistake is.
        return
    for name, value in run.parameters.items():
        if name not in run.definition.parameters:
            known = ", ".join(run.definition.parameters) or "none"
            raise UsageError(f"unknown parameter '{name}': the pipeline's parameters are {known}")
        _check_value(run.definition.parameters[name], value)
    for parameter in run.definition.parameters.values():
        if parameter.default is None and parameter.name not in run.parameters:
            raise UsageError(
                f"parameter '{parameter.name}' ({parameter.type}) has no default: "
                f"pass --parameter {parameter.name}=VALUE"
            )


def _check_value(parameter: Parameter, value: str) -> None:
    if not value:
        raise UsageError(f"parameter '{parameter.name}' is empty: expected {_expected(parameter)}")
    if len(value) > LONGEST_VALUE:
        raise UsageError(
            f"parameter '{parameter.name}' has {len(value)} characters: at most {LONGEST_VALUE} are allowed"
        )
    if not _is_unicode(value):
        raise UsageError(f"parameter '{parameter.name}' is {value!r}: expected UTF-8 text")
    if not _is_of_type(parameter.type, value) or (parameter.choices and value not in parameter.choices):
        raise UsageError(f"parameter '{parameter.name}' is '{value}': expected {_expected(parameter)}")


def _expected(parameter: Parameter) -> str:
    if parameter.choices:
        return f"one of {', '.join(parameter.choices)}"
    return {
        "Integer": "a whole number of 64 bits, such as 7",
        "Float": "a finite number, such as 0.85",
        "Boolean": "true or false",
    }.get(parameter.type, "a string of at least one character")


def _is_unicode(value: str) -> bool:
    """Whether the command line held text; bytes that are none come as halves of surrogate pairs."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_of_type(kind: str, value: str) -> bool:
    if kind == "Boolean":
        return value.lower() in {"true", "false"}
    if kind == "Integer":
        return _INTEGER.fullmatch(value) is not None and int(value) in INTEGERS
    if kind == "Float":
        return _FLOAT.fullmatch(value) is not None and math.isfinite(float(value))
    return True
