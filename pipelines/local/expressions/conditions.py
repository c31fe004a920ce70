"""Conditions decided."""

import math
import operator
from collections.abc import Callable
from typing import Any

from pipelines.local.errors import StepFailure
from pipelines.local.expressions.resolve import Scope, resolve

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.ne,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_EQUALITIES = frozenset({"Equals", "NotEquals"})


def evaluate(conditions: list[Any], scope: Scope) -> bool:
    """Return whether all conditions hold; none at all hold.

    Strings compare character by character, integers and floats by value.

    Raises:
        StepFailure: two values cannot be compared, or an expression has no value.
    """
    return all(_holds(condition, scope) for condition in conditions)


def _holds(condition: dict[str, Any], scope: Scope) -> bool:
    kind = condition["Type"]
    if kind == "Not":
        return not _holds(condition["Condition"], scope)
    if kind == "Or":
        return any(_holds(part, scope) for part in condition["Conditions"])
    if kind in _COMPARISONS:
        return _compare(kind, condition, scope)
    return _is_among(condition, scope) is (kind == "In")


def _compare(kind: str, condition: dict[str, Any], scope: Scope) -> bool:
    left = _operand(condition["LeftValue"], kind, scope)
    right = _operand(condition["RightValue"], kind, scope)
    if _family(left) != _family(right):
        raise StepFailure(f"{kind} cannot compare {_described(left)} with {_described(right)}: the types differ")
    if _family(left) is bool and kind not in _EQUALITIES:
        raise StepFailure(f"{kind} cannot compare booleans: they have no order")
    return _COMPARISONS[kind](left, right)


def _is_among(condition: dict[str, Any], scope: Scope) -> bool:
    kind = condition["Type"]
    query = _operand(condition["QueryValue"], kind, scope)
    values = [_operand(value, kind, scope) for value in condition["Values"]]
    alike = [value for value in values if _family(value) == _family(query)]
    if values and not alike:
        raise StepFailure(f"{kind} cannot find {_described(query)} among values of other types: {values!r:.200}")
    return query in alike


def _operand(value: Any, kind: str, scope: Scope) -> Any:
    resolved = resolve(value, scope)
    if _family(resolved) is None:
        raise StepFailure(f"{kind} cannot compare {_described(resolved)}: compare strings, numbers or booleans")
    if isinstance(resolved, float) and math.isnan(resolved):
        raise StepFailure(f"{kind} cannot compare NaN, which is no number")
    return resolved


def _family(value: Any) -> type | None:
    """Return the type that stands for all types that the value may be compared with."""
    if isinstance(value, bool):
        return bool
    if isinstance(value, int | float):
        return float
    return str if isinstance(value, str) else None


def _described(value: Any) -> str:
    names = {str: "the string", bool: "the boolean", int: "the integer", float: "the float"}
    return f"{names.get(type(value), 'the value')} {value!r:.200}"
