"""Conditions are decided as the service decides them."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.errors import StepFailure
from pipelines.local.expressions import Scope, evaluate
from tests.definitions.by_hand import compare, get, json_get

METRICS = {"FinalMetricDataList": [{"MetricName": "auc", "Value": math.nan}], "Stopped": None, "Tags": []}


def read(uri: str) -> bytes:
    assert uri == "s3://bucket/Report"
    return b'{"auc": 0.87, "nan": NaN}'


SCOPE = Scope(
    parameters={"Threshold": 0.85, "Stage": "prod"},
    execution={},
    properties=lambda _step: METRICS,
    property_file=lambda _step, name: f"s3://bucket/{name}",
    read=read,
)


def holds(*conditions: dict[str, Any]) -> bool:
    return evaluate(list(conditions), SCOPE)


@pytest.mark.parametrize(
    ("kind", "below", "same", "above"),
    [
        ("Equals", False, True, False),
        ("NotEquals", True, False, True),
        ("GreaterThan", False, False, True),
        ("GreaterThanOrEqualTo", False, True, True),
        ("LessThan", True, False, False),
        ("LessThanOrEqualTo", True, True, False),
    ],
)
@pytest.mark.parametrize(("low", "high"), [(1, 2), (0.5, 0.75), (1, 1.5), ("a", "b"), ("1", "3"), ("10", "9")])
def test_a_comparison_holds_as_its_name_says(
    kind: str,
    below: bool,
    same: bool,
    above: bool,
    low: Any,
    high: Any,
) -> None:
    assert holds(compare(kind, low, high)) is below
    assert holds(compare(kind, low, low)) is same
    assert holds(compare(kind, high, low)) is above


def test_integers_and_floats_compare_by_value() -> None:
    assert holds(compare("Equals", 6, 6.0))
    assert holds(compare("GreaterThan", 2**53 + 1, float(2**53)))


def test_both_sides_may_be_expressions() -> None:
    assert holds(compare("GreaterThanOrEqualTo", json_get("Evaluate", "Report", "auc"), get("Parameters.Threshold")))


def test_booleans_are_equal_or_not_but_have_no_order() -> None:
    assert holds(compare("Equals", True, True), compare("NotEquals", True, False))
    with pytest.raises(StepFailure, match="GreaterThan cannot compare booleans: they have no order"):
        holds(compare("GreaterThan", True, False))


@pytest.mark.parametrize(
    ("left", "right", "reason"),
    [
        ("32", 32, "Equals cannot compare the string '32' with the integer 32: the types differ"),
        (True, 1, "Equals cannot compare the boolean True with the integer 1: the types differ"),
        (0.5, "0.5", "Equals cannot compare the float 0.5 with the string '0.5': the types differ"),
        (get("Steps.T.Stopped"), 1, "Equals cannot compare the value None: compare strings, numbers or booleans"),
        (get("Steps.T.Tags"), 1, "Equals cannot compare the value []: compare strings, numbers or booleans"),
    ],
)
def test_values_of_different_types_fail_the_step(left: Any, right: Any, reason: str) -> None:
    with pytest.raises(StepFailure) as caught:
        holds(compare("Equals", left, right))
    assert str(caught.value) == reason


@pytest.mark.parametrize("kind", ["Equals", "NotEquals", "LessThanOrEqualTo", "GreaterThan"])
def test_a_metric_that_is_not_a_number_fails_the_step_instead_of_choosing_a_branch(kind: str) -> None:
    with pytest.raises(StepFailure, match=f"{kind} cannot compare NaN"):
        holds(compare(kind, get("Steps.T.FinalMetricDataList['auc'].Value"), 0.85))
    with pytest.raises(StepFailure, match="the value is nan"):
        holds(compare(kind, json_get("Evaluate", "Report", "nan"), 0.85))


def among(kind: str, query: Any, *values: Any) -> dict[str, Any]:
    return {"Type": kind, "QueryValue": query, "Values": list(values)}


def test_a_value_is_in_a_list_or_not() -> None:
    assert holds(among("In", get("Parameters.Stage"), "dev", "prod"))
    assert not holds(among("In", "test", "dev", get("Parameters.Stage")))
    assert holds(among("NotIn", "test", "dev", "prod"))
    assert holds(among("In", 1, 1.0), among("NotIn", True, False, 1))
    assert not holds(among("In", "x"))


def test_a_value_among_values_of_other_types_fails_the_step() -> None:
    with pytest.raises(StepFailure, match=r"In cannot find the string '5' among values of other types: \[5, 6\]"):
        holds(among("In", "5", 5, 6))


def test_all_conditions_must_hold_and_none_do() -> None:
    yes, no = compare("Equals", 1, 1), compare("Equals", 1, 2)
    assert holds()
    assert holds(yes, yes)
    assert not holds(yes, no)


def test_not_and_or_nest() -> None:
    yes, no = compare("Equals", 1, 1), compare("Equals", 1, 2)
    assert holds({"Type": "Not", "Condition": no})
    assert holds(
        {"Type": "Or", "Conditions": [no, {"Type": "Not", "Condition": {"Type": "Or", "Conditions": [no, no]}}]}
    )
    assert not holds({"Type": "Or", "Conditions": []})
    assert not holds({"Type": "Not", "Condition": yes})


NUMBERS = st.integers() | st.floats(allow_nan=False)


@given(NUMBERS | st.none(), NUMBERS)
def test_a_comparison_is_the_negation_of_its_opposite(left: Any, right: Any) -> None:
    left = right if left is None else left
    for kind, opposite in [
        ("LessThan", "GreaterThanOrEqualTo"),
        ("GreaterThan", "LessThanOrEqualTo"),
        ("Equals", "NotEquals"),
    ]:
        assert holds(compare(kind, left, right)) is not holds(compare(opposite, left, right))
        assert holds(compare(kind, left, right)) is holds({"Type": "Not", "Condition": compare(opposite, left, right)})
