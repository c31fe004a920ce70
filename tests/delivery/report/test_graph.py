"""The graph that a report draws, read from definitions."""

import json

from pipelines.delivery.report.graph import Edge, Graph, read_graph
from tests.delivery.pipelines import FAIL_BRANCH, TWO_BRANCHES, definition, step


def edges(graph: Graph) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.target, edge.label) for edge in graph.edges}


def states(graph: Graph) -> dict[str, str]:
    return {node.name: node.state for node in graph.nodes}


def using(name: str, *others: str) -> dict[str, object]:
    references = [{"S3Uri": {"Get": f"Steps.{other}.ModelArtifacts.S3ModelArtifacts"}} for other in others]
    return {"Name": name, "Type": "Training", "Arguments": {"Inputs": references}}


def test_a_branch_hangs_from_its_condition_by_its_outcome() -> None:
    assert ("AucGate", "Tune", "true") in edges(read_graph(TWO_BRANCHES))
    assert ("AucGate", "Register", "false") in edges(read_graph(TWO_BRANCHES))
    assert ("Evaluate", "AucGate", "") in edges(read_graph(TWO_BRANCHES))


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    diamond = definition([using("A"), using("B", "A"), using("C", "A"), using("D", "A", "B", "C")])
    assert edges(read_graph(diamond)) == {("A", "B", ""), ("A", "C", ""), ("B", "D", ""), ("C", "D", "")}


def test_dependencies_are_arrows_in_either_form() -> None:
    text = definition([step("A", "Training"), step("B", "Training", DependsOn=["A"])])
    graph = read_graph(text.replace('["A"]', '[{"Step": "A", "Trigger": "Any"}]'))
    assert edges(graph) == edges(read_graph(text)) == {("A", "B", "")}


def test_a_name_that_is_no_step_is_no_arrow() -> None:
    assert read_graph(definition([step("A", "Training", DependsOn=["Gone", "A"])])).edges == ()


def test_steps_that_wait_for_each_other_do_not_stop_the_report() -> None:
    graph = read_graph(definition([using("A", "B"), using("B", "A"), using("C")]))
    assert graph.layers() == [["A", "B", "C"]]
    assert graph.edges == ()


def test_no_steps_are_an_empty_graph() -> None:
    assert read_graph(json.dumps({})) == Graph()


def test_what_follows_in_an_untaken_branch_is_not_taken_either() -> None:
    text = json.loads(TWO_BRANCHES)
    text["Steps"][2]["Arguments"]["IfSteps"][1]["DependsOn"] = ["Tune"]
    marked = read_graph(json.dumps(text)).marked({"AucGate": "succeeded"}, {"AucGate": False}, {})
    assert {name for name, state in states(marked).items() if state == "not taken"} == {
        "Tune",
        "EvaluateTuned",
        "RegisterTuned",
    }


def test_what_stands_behind_a_failure_was_not_run() -> None:
    marked = read_graph(TWO_BRANCHES).marked({"Train": "failed"}, {}, {})
    behind = ("Evaluate", "AucGate", "Tune", "EvaluateTuned", "RegisterTuned", "Register")
    assert states(marked) == {"Train": "failed", **dict.fromkeys(behind, "not run")}


def test_a_fail_step_in_a_branch_is_one_like_others() -> None:
    marked = read_graph(FAIL_BRANCH).marked({"TooBad": "failed"}, {"AucGate": True}, {"AucGate": "0.8 ≤ 0.85"})
    assert states(marked)["Register"] == "not taken"
    assert Edge("AucGate", "TooBad", "true") in marked.edges
    assert next(node.note for node in marked.nodes if node.name == "AucGate") == "0.8 ≤ 0.85"


def test_a_step_is_below_all_that_it_waits_for() -> None:
    graph = read_graph(definition([using("A"), using("B", "A"), using("C"), using("D", "B", "C")]))
    assert graph.layers() == [["A", "C"], ["B"], ["D"]]
