"""The arguments of a step are checked beside the operation's own shape."""

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.local.definition import Definition
from tests.definitions.by_hand import definition, get, join, processing, training

Parse = Callable[[str], Definition]
Refuse = Callable[[str], str]

REGISTER = {"ModelPackageGroupName": "Group", "ModelApprovalStatus": "Approved"}


def register(**arguments: Any) -> dict[str, Any]:
    return {"Name": "Register", "Type": "RegisterModel", "Arguments": {**REGISTER, **arguments}}


def processing_input(name: str, **s3_input: Any) -> dict[str, Any]:
    source = {"S3Uri": "s3://bucket/data", "LocalPath": "/opt/ml/processing/x", "S3DataType": "S3Prefix", **s3_input}
    return {"InputName": name, "S3Input": source}


def test_an_unknown_member_is_named_as_the_service_names_it(refuse: Refuse) -> None:
    reason = refuse(definition(register(ModelPackageName="x")))
    assert reason.startswith(
        "Unknown Argument member 'ModelPackageName'. (step 'Register', at Steps[0].Arguments.Model"
    )


def test_an_unknown_member_deep_inside_is_found(refuse: Refuse) -> None:
    inputs = [processing_input("a"), processing_input("b", S3InputMod="File")]
    reason = refuse(definition(processing("Process", arguments={"ProcessingInputs": inputs})))
    assert reason == (
        "Unknown Argument member 'S3InputMod'. (step 'Process', at "
        "Steps[0].Arguments.ProcessingInputs[1].S3Input.S3InputMod; did you mean 'S3InputMode'?)"
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"ResourceConfig": []}, "Expecting start of Json Object. (step 'T', at Steps[0].Arguments.ResourceConfig; "),
        ({"InputDataConfig": {}}, "Expecting start of Json Array. (step 'T', at Steps[0].Arguments.InputDataConfig; "),
        ({"HyperParameters": "x"}, "Expecting start of Json Object. (step 'T', at Steps[0].Arguments.HyperParameters"),
        (
            {"HyperParameters": {"a-b": 5}},
            "Expecting a string. (step 'T', at Steps[0].Arguments.HyperParameters['a-b']",
        ),
        (
            {"RoleArn": None},
            "Expecting a string. (step 'T', at Steps[0].Arguments.RoleArn; 'RoleArn' is a string, found ",
        ),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": "60"}}, "Expecting an integer."),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": True}}, "Expecting an integer."),
        ({"EnableManagedSpotTraining": "yes"}, "Expecting true or false."),
        ({"HyperParameters": [{}]}, "Expecting start of Json Object."),
    ],
)
def test_a_wrong_json_type_is_refused(refuse: Refuse, arguments: dict[str, Any], reason: str) -> None:
    assert refuse(definition(training("T", arguments=arguments))).startswith(reason)


def test_arguments_must_be_an_object(refuse: Refuse) -> None:
    reason = refuse(definition({"Name": "T", "Type": "Training", "Arguments": []}))
    assert reason.startswith("Expecting start of Json Object. (step 'T', at Steps[0].Arguments; ")


def test_a_value_out_of_an_enum_is_refused_with_the_values_that_are_in(refuse: Refuse) -> None:
    inputs = [processing_input("a", S3InputMode="FastFile")]
    reason = refuse(definition(processing("Process", arguments={"ProcessingInputs": inputs})))
    assert reason == (
        "Model Validation failed: Value 'FastFile' for 'ProcessingS3InputMode' failed to satisfy enum value set: "
        "[Pipe, File] (step 'Process', at Steps[0].Arguments.ProcessingInputs[0].S3Input.S3InputMode)"
    )


def test_a_missing_member_is_refused_at_every_depth(refuse: Refuse) -> None:
    step = training("T")
    del step["Arguments"]["OutputDataConfig"]
    assert refuse(definition(step)).startswith(
        "Missing required Argument member 'OutputDataConfig'. (step 'T', at Steps[0]"
    )
    reason = refuse(definition(training("T", arguments={"OutputDataConfig": {}})))
    assert reason.startswith(
        "Missing required Argument member 'S3OutputPath'. (step 'T', at Steps[0].Arguments.OutputData"
    )


def test_a_job_name_is_not_required_and_may_be_a_prefix(parse: Parse) -> None:
    assert parse(definition(training("T")))
    assert parse(definition(training("T", arguments={"TrainingJobName": "prefix"})))


def test_the_service_s_limits_hold(refuse: Refuse, parse: Parse) -> None:
    ten = [processing_input(str(number)) for number in range(10)]
    assert parse(definition(processing("Process", arguments={"ProcessingInputs": ten})))
    reason = refuse(definition(processing("Process", arguments={"ProcessingInputs": [*ten, processing_input("x")]})))
    assert reason.startswith("Model Validation failed: 'ProcessingInputs' has 11 entries; at most 10 allowed.")
    longest = {"HyperParameters": {"a": "x" * 2500}}
    assert parse(definition(training("T", arguments=longest)))
    reason = refuse(definition(training("T", arguments={"HyperParameters": {"a": "x" * 2501}})))
    assert reason == (
        "Model Validation failed: 'HyperParameterValue' has 2501 characters; at most 2500 allowed. "
        "(step 'T', at Steps[0].Arguments.HyperParameters.a)"
    )
    reason = refuse(definition(training("T", arguments={"StoppingCondition": {"MaxRuntimeInSeconds": 0}})))
    assert reason.startswith("Model Validation failed: 'MaxRuntimeInSeconds' is 0; at least 1 allowed.")


@pytest.mark.parametrize(
    "arguments",
    [
        {"HyperParameters": {"a": get("Parameters.P"), "b": join("x", get("Parameters.P"))}},
        {"HyperParameters": get("Parameters.P")},
        {"StoppingCondition": {"MaxRuntimeInSeconds": get("Parameters.P")}},
        {"EnableManagedSpotTraining": get("Parameters.P")},
        {"InputDataConfig": [get("Parameters.P")]},
        {"AlgorithmSpecification": {"TrainingInputMode": get("Parameters.P"), "TrainingImage": "i"}},
        {"OutputDataConfig": {"S3OutputPath": {"Std:JsonGet": {"S3Uri": join("s3://", "b"), "Path": "$.a['b'][0]"}}}},
    ],
)
def test_an_expression_may_stand_for_any_value(parse: Parse, arguments: dict[str, Any]) -> None:
    assert parse(definition(training("T", arguments=arguments), parameters=[{"Name": "P"}]))


def test_a_map_s_own_keys_are_no_expressions(parse: Parse) -> None:
    hyperparameters = {"Get": "7", "Std:Join": "x"}
    step = parse(definition(training("T", arguments={"HyperParameters": hyperparameters}))).steps[0]
    assert step.arguments["HyperParameters"] == hyperparameters
    assert step.references == ()
