"""Definitions that the SDK made are accepted unchanged."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.local.definition import CacheConfig, Definition, Dependency, Graph, PropertyFile

Parse = Callable[[str], Definition]

FOLDER = Path(__file__).parents[2] / "definitions"
NAMES = ("abalone", "tuning", "source_code", "batch")


def example(name: str) -> str:
    return (FOLDER / f"{name}.json").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_definition_that_the_sdk_made_is_accepted(parse: Parse, name: str) -> None:
    text = example(name)
    definition = parse(text)
    assert definition.text == text
    assert [step.name for step in definition.steps] == [step["Name"] for step in json.loads(text)["Steps"]]


def test_all_steps_are_listed_in_document_order_with_the_branches_after_their_condition(parse: Parse) -> None:
    steps = parse(example("abalone")).all_steps()
    assert {name: step.type for name, step in steps.items()} == {
        "PreprocessAbaloneData": "Processing",
        "TrainAbaloneModel": "Training",
        "EvaluateAbaloneModel": "Processing",
        "AbaloneMSECond": "Condition",
        "AbaloneRegisterModel": "RegisterModel",
        "AbaloneCreateModel": "Model",
        "AbaloneMSEFail": "Fail",
    }
    assert list(steps)[-4:] == ["AbaloneMSECond", "AbaloneRegisterModel", "AbaloneCreateModel", "AbaloneMSEFail"]


def test_the_members_of_steps_are_read(parse: Parse) -> None:
    steps = parse(example("abalone")).all_steps()
    assert steps["PreprocessAbaloneData"].cache == CacheConfig(enabled=True, expire_after_seconds=None)
    assert steps["TrainAbaloneModel"].cache == CacheConfig(enabled=True, expire_after_seconds=7 * 86400)
    assert steps["EvaluateAbaloneModel"].cache is None
    assert [list(policy)[2:] for policy in steps["TrainAbaloneModel"].retry_policies] == [
        ["MaxAttempts", "ExceptionType"],
        ["ExpireAfterMin", "ExceptionType"],
    ]
    report = PropertyFile("AbaloneEvaluationReport", "evaluation", "evaluation.json")
    assert steps["EvaluateAbaloneModel"].property_files == {"AbaloneEvaluationReport": report}
    assert list(steps["AbaloneMSECond"].arguments) == ["Conditions"]


def test_the_members_of_parameters_are_read(parse: Parse) -> None:
    parameters = parse(example("tuning")).parameters
    assert [(p.name, p.type, p.default) for p in parameters.values()] == [
        ("RegisterEnabled", "Boolean", True),
        ("Stage", "String", None),
        ("RocAucThreshold", "Float", 0.85),
    ]
    approval = parse(example("abalone")).parameters["ModelApprovalStatus"]
    assert approval.enum == ("PendingManualApproval", "Approved", "Rejected")


def test_display_name_description_and_experiment_are_read(parse: Parse) -> None:
    definition = parse(example("tuning"))
    steps = definition.all_steps()
    assert steps["Gate"].display_name == "Is it good enough?"
    assert steps["Tune"].description == "Four trials"
    assert definition.experiment_config is not None
    assert definition.experiment_config["TrialName"] == {"Get": "Execution.PipelineExecutionId"}


def test_the_graph_of_a_conditional_pipeline_follows_references_and_branches(parse: Parse) -> None:
    graph = Graph(parse(example("abalone")))
    assert graph.upstream("TrainAbaloneModel") == {"PreprocessAbaloneData"}
    assert graph.upstream("AbaloneMSECond") == {"EvaluateAbaloneModel"}
    assert graph.upstream("AbaloneCreateModel") == {"TrainAbaloneModel", "AbaloneMSECond"}
    assert graph.branch("AbaloneMSEFail") == ("AbaloneMSECond", False)


def test_a_trigger_that_the_sdk_wrote_is_read(parse: Parse) -> None:
    graph = Graph(parse(example("source_code")))
    assert graph.dependencies("Failed") == (Dependency("Script_Mode", "Failed"),)
    assert graph.dependencies("Report") == (Dependency("Script_Mode"), Dependency("Source-Code"))


def test_what_this_sdk_makes_of_the_examples_now_is_accepted(parse: Parse, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.definitions.make", str(tmp_path)]
    root = FOLDER.parents[1]
    subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=True, capture_output=True)
    for name in NAMES:
        made = parse((tmp_path / f"{name}.json").read_text())
        assert list(made.all_steps()) == list(parse(example(name)).all_steps())
