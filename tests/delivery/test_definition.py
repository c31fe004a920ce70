"""Reading a definition, and checking a run's parameters against it."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel

from pipelines.delivery.definition import Run, parse_definition, same_definition
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.parameters import check_parameters
from pipelines.local.definition import parse_definition as parse_locally
from pipelines.local.errors import ValidationError
from pipelines.local.expressions.parameters import bind_parameters
from tests.delivery.pipelines import FAIL_BRANCH, TWO_BRANCHES, definition

PARAMETERS: list[dict[str, Any]] = [
    {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Threshold", "Type": "Float", "DefaultValue": 0.85},
    {"Name": "Fast", "Type": "Boolean", "DefaultValue": False},
    {"Name": "Status", "Type": "String", "DefaultValue": "On", "EnumValues": ["On", "Off"]},
    {"Name": "Data"},
]
CONDITIONS = '{"Conditions": [' * 5_000 + "]}" * 5_000


def service_model() -> ServiceModel:
    return botocore.session.Session().get_service_model("sagemaker")


def check(**given: str) -> None:
    """Check values for the parameters above."""
    check_parameters(Run(parse_definition(definition([], PARAMETERS)), given))


def test_steps_of_branches_are_steps_and_know_their_condition() -> None:
    steps = parse_definition(TWO_BRANCHES).steps
    assert list(steps) == ["Train", "Evaluate", "AucGate", "Tune", "EvaluateTuned", "RegisterTuned", "Register"]
    assert (steps["Tune"].condition, steps["Register"].condition, steps["Train"].condition) == (
        "AucGate",
        "AucGate",
        None,
    )
    assert steps["AucGate"].comparisons[0].parameter == "RocAucThreshold"


def test_a_step_type_is_found_in_a_branch() -> None:
    assert parse_definition(FAIL_BRANCH).has("Fail")
    assert not parse_definition(FAIL_BRANCH).has("Tuning")


@pytest.mark.parametrize("text", ["", "{", "not json", "[1, 2"])
def test_what_is_not_json_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(DeliveryError, match=r"fraud\.json is not JSON: .*char"):
        parse_definition(text, "fraud.json")


@pytest.mark.parametrize("text", ["[]", "1", '"steps"', "null"])
def test_json_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(DeliveryError, match="expected a JSON object with Steps"):
        parse_definition(text)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"Steps": None, "Parameters": {}},
        {"Steps": ["Train", 1]},
        {"Steps": [{}]},
        {"Steps": [{"Name": "A", "Type": "Condition", "Arguments": []}]},
        {
            "Steps": [
                {"Name": "A", "Type": "Condition", "Arguments": {"Conditions": [{"LeftValue": {"Std:JsonGet": 1}}]}}
            ]
        },
    ],
)
def test_a_malformed_definition_is_left_to_the_service_to_judge(document: dict[str, object]) -> None:
    assert all(step.comparisons == () for step in parse_definition(json.dumps(document)).steps.values())


def test_formatting_makes_no_other_definition() -> None:
    assert same_definition(json.dumps(json.loads(TWO_BRANCHES), indent=4), TWO_BRANCHES)
    assert not same_definition(FAIL_BRANCH, TWO_BRANCHES)
    assert not same_definition(None, TWO_BRANCHES)


def test_given_values_stand_beside_the_defaults_of_the_others() -> None:
    run = Run(parse_definition(TWO_BRANCHES), {"RocAucThreshold": "0.9"})
    assert run.values == {"RocAucThreshold": "0.9", "InputData": "s3://bucket/data"}


def test_values_of_every_type_are_accepted() -> None:
    check(Count="-3", Threshold="1e-3", Fast="True", Status="Off", Data="s3://bucket/x")
    check(Count=str(-(2**63)), Threshold=".5", Data="x" * 1024)


@pytest.mark.parametrize("count", ["7", "+7", "-0", " 7", "7 ", "1_0", "٣", str(2**63 - 1), str(2**63), "1" * 20, ""])
@pytest.mark.parametrize(
    "threshold", ["0.5", ".5", "5.", "1e5", "nan", "inf", "1e99999", "0x1", "1_0.0", "1e308", "1e309"]
)
def test_what_is_refused_here_is_what_the_local_service_refuses(count: str, threshold: str) -> None:
    given = {"Count": count, "Threshold": threshold, "Data": "x"}
    text = definition([{"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}], PARAMETERS)
    service = parse_locally(text, service_model())
    try:
        bind_parameters(service, given)
    except ValidationError:
        with pytest.raises(UsageError):
            check(**given)
    else:
        check(**given)


@pytest.mark.parametrize(
    "declared",
    [[{}], [{"Name": "A", "Type": "Foo"}], [{"Name": "A"}, {"Name": "A"}], [1], 5, [{"Name": "A", "Type": ["String"]}]],
)
def test_parameters_that_are_declared_wrong_are_left_to_the_service_to_judge(declared: Any) -> None:
    run = Run(parse_definition(json.dumps({"Parameters": declared, "Steps": []})), {"B": "1"})
    check_parameters(run)


def test_enum_values_that_are_no_list_are_left_to_the_service_to_judge() -> None:
    document = {"Parameters": [{"Name": "A", "EnumValues": 5}], "Steps": []}
    assert parse_definition(json.dumps(document)).parameters["A"].choices == ()


@pytest.mark.parametrize(
    "text", ["[" * 100_000, f'{{"Steps": [{{"Type": "Condition", "Arguments": {{"Conditions": [{CONDITIONS}]}}}}]}}']
)
def test_a_definition_without_a_bottom_is_told_in_a_line(text: str) -> None:
    with pytest.raises(DeliveryError, match=r"deep\.json is nested too deeply to be a pipeline definition"):
        parse_definition(text, "deep.json")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Cuont", "1", "unknown parameter 'Cuont': the pipeline's parameters are Count, Threshold, Fast, Status, Data"),
        ("Count", "1.5", "parameter 'Count' is '1.5': expected a whole number of 64 bits, such as 7"),
        ("Count", " 1", "parameter 'Count' is ' 1': expected a whole number of 64 bits, such as 7"),
        ("Count", "1_0", "parameter 'Count' is '1_0': expected a whole number of 64 bits, such as 7"),
        ("Count", str(2**63), f"parameter 'Count' is '{2**63}': expected a whole number of 64 bits, such as 7"),
        ("Threshold", "high", "parameter 'Threshold' is 'high': expected a finite number, such as 0.85"),
        ("Threshold", "nan", "parameter 'Threshold' is 'nan': expected a finite number, such as 0.85"),
        ("Threshold", "1e999", "parameter 'Threshold' is '1e999': expected a finite number, such as 0.85"),
        ("Data", "x" * 1025, "parameter 'Data' has 1025 characters: at most 1024 are allowed"),
        ("Data", "p\udcff", "parameter 'Data' is 'p\\udcff': expected UTF-8 text"),
        ("Fast", "yes", "parameter 'Fast' is 'yes': expected true or false"),
        ("Status", "on", "parameter 'Status' is 'on': expected one of On, Off"),
        ("Data", "", "parameter 'Data' is empty: expected a string of at least one character"),
    ],
)
def test_a_wrong_value_says_what_is_right(name: str, value: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(**{"Data": "x", name: value})
    assert str(caught.value) == message


def test_a_parameter_without_default_must_be_given() -> None:
    with pytest.raises(UsageError, match=r"'Data' \(String\) has no default: pass --parameter Data=VALUE"):
        check(Count="2")


def test_a_pipeline_without_parameters_says_so() -> None:
    with pytest.raises(UsageError, match="the pipeline's parameters are none"):
        check_parameters(Run(parse_definition(definition([])), {"A": "1"}))
