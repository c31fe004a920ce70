"""The evaluator says of an expression what GitHub says, and refuses what it does not know."""

from typing import Any

import pytest

from tests.workflows.expressions import ExpressionError, Lenient, Scope, evaluate, holds, interpolate

SCOPE = Scope(
    {
        "github": {"event_name": "push", "event": {"number": 7, "head": None}},
        "vars": Lenient({"ROLE": "arn", "EMPTY": ""}),
        "steps": {"earlier": {"outputs": Lenient({"id": "5"})}},
    },
    {"always": lambda: True, "cancelled": lambda: False, "toJSON": lambda value: f"<{value}>"},
)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("github.event.number", 7),
        ("github.event_name == 'PUSH'", True),
        ("github.event_name != 'push'", False),
        ("vars.ROLE != ''", True),
        ("vars.OTHER == ''", True),
        ("vars.EMPTY == ''", True),
        ("vars.OTHER || 3600", 3600),
        ("vars.ROLE && 'set' || 'not set'", "set"),
        ("!cancelled() && steps.earlier.outputs.id != ''", True),
        ("!(true && false)", True),
        ("github.event.head.repo == null", True),
        ("toJSON(vars.ROLE)", "<arn>"),
        ("'it''s'", "it's"),
        ("false || false && true || true", True),
    ],
)
def test_an_expression_has_the_value_that_github_gives_it(source: str, value: Any) -> None:
    assert evaluate(source, SCOPE) == value


@pytest.mark.parametrize(
    "source",
    [
        "github.evnt",
        "steps.later.outputs.id",
        "secrets.TOKEN",
        "fromJSON('1')",
        "github.event.number.digits",
        "vars.ROLE ==",
        "vars.ROLE 'x'",
        "(true",
        'vars.ROLE == "x"',
        "github.event.*.id",
    ],
)
def test_what_is_unknown_is_refused_and_not_guessed(source: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(source, SCOPE)


@pytest.mark.parametrize(
    ("condition", "after_success", "after_failure"),
    [
        (None, True, False),
        ("${{ vars.ROLE != '' }}", True, False),
        ("vars.ROLE == ''", False, False),
        ("${{ !cancelled() }}", True, True),
        ("${{ always() && vars.ROLE == '' }}", False, False),
    ],
)
def test_only_a_condition_that_asks_for_the_status_holds_after_a_failure(
    condition: str | None, after_success: bool, after_failure: bool
) -> None:
    assert holds(condition, SCOPE, implied=lambda: True) == after_success
    assert holds(condition, SCOPE, implied=lambda: False) == after_failure


def test_a_text_is_filled_in() -> None:
    assert interpolate("a ${{ github.event.number }} b ${{ vars.OTHER }}c", SCOPE) == "a 7 b c"
    with pytest.raises(ExpressionError):
        interpolate("${{ github.event }}", SCOPE)
