"""The graph says what each step waits for."""

from collections.abc import Callable

import pytest

from pipelines.local.definition import Definition, Dependency, Graph
from pipelines.local.definition.graph import find_cycle
from tests.definitions.by_hand import compare, condition, definition, fail, get, join, json_get, processing, training

Parse = Callable[[str], Definition]
Graphed = Callable[..., Graph]

REPORT = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]


@pytest.fixture
def graph(parse: Parse) -> Graphed:
    return lambda *steps: Graph(parse(definition(*steps)))


def test_references_at_any_depth_are_dependencies(graph: Graphed) -> None:
    deep = {"HyperParameters": {"a": join("x", join(get("Steps.b.RoleArn")))}}
    steps = (
        training("a"),
        training("b"),
        training("c", arguments={"RoleArn": get("Steps.a.RoleArn"), **deep}, DependsOn=["d"]),
        training("d"),
    )
    found = graph(*steps)
    assert found.dependencies("c") == (Dependency("d"), Dependency("a"), Dependency("b"))
    assert found.upstream("c") == {"a", "b", "d"}
    assert found.dependencies("a") == ()


def test_a_condition_waits_for_what_its_conditions_read_and_not_for_its_branches_needs(graph: Graphed) -> None:
    gate = condition(
        "Gate",
        {"Type": "Not", "Condition": compare("Equals", json_get("Process", "Report", "a"), 1)},
        if_steps=[training("Then", arguments={"RoleArn": get("Steps.Other.RoleArn")})],
        else_steps=[fail("Else")],
    )
    found = graph(processing("Process", PropertyFiles=REPORT), training("Other"), gate)
    assert found.upstream("Gate") == {"Process"}
    assert found.upstream("Then") == {"Other", "Gate"}
    assert found.branch("Then") == ("Gate", True)
    assert found.branch("Else") == ("Gate", False)
    assert found.branch("Gate") is None


def test_a_step_outside_may_wait_for_a_step_in_a_branch(graph: Graphed) -> None:
    found = graph(condition("Gate", if_steps=[training("Then")]), training("After", DependsOn=["Then"]))
    assert found.upstream("After") == {"Then"}
    assert found.branch("After") is None


def test_a_trigger_wins_over_the_completion_that_a_reference_implies(graph: Graphed) -> None:
    after = training("b", arguments={"RoleArn": get("Steps.a.RoleArn")}, DependsOn=[{"Step": "a", "Trigger": "Any"}])
    assert graph(training("a"), after).dependencies("b") == (Dependency("a", "Any"),)


def test_a_dependency_that_is_named_twice_counts_once(graph: Graphed) -> None:
    again = training("b", DependsOn=["a", {"Step": "a", "Trigger": "Completed"}, {"Step": "a"}])
    assert graph(training("a"), again).dependencies("b") == (Dependency("a"),)


@pytest.mark.parametrize(
    ("edges", "cycle"),
    [
        ({}, ()),
        ({"a": ["b"], "b": ["c"], "c": []}, ()),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, ()),
        ({"a": ["a"]}, ("a", "a")),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, ("b", "c", "b")),
        ({"a": ["elsewhere"]}, ()),
    ],
)
def test_a_cycle_is_found_where_there_is_one(edges: dict[str, list[str]], cycle: tuple[str, ...]) -> None:
    assert find_cycle(edges) == cycle
