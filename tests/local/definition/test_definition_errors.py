"""What is not a definition is refused with a line that says where and why."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.local.definition import Definition
from tests.definitions.by_hand import (
    compare,
    condition,
    definition,
    fail,
    get,
    join,
    json_get,
    processing,
    training,
)

Parse = Callable[[str], Definition]
Refuse = Callable[[str], str]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "It is not JSON: Expecting value: line 1 column 1 (char 0)."),
        ("{not json", "It is not JSON: Expecting property name"),
        ("[]", "Expecting start of Json Object. (at the top level; found an array)"),
        ("null", "Expecting start of Json Object. (at the top level; found null)"),
        ('{"Steps": NaN}', "It is not JSON: NaN is not a JSON number."),
        ('{"Steps": 1e999}', "It is not JSON: 1e999 is too large a number."),
        ('{"Steps": "\\ud800"}', "It holds half of a surrogate pair"),
        ("{}", "Missing member 'Steps'. (at the top level)"),
        ('{"Steps": {}}', "Expecting start of Json Array. (at Steps; 'Steps' is an object)"),
        ('{"Steps": [], "Stepz": []}', "Unknown member 'Stepz'. (at Stepz; did you mean 'Steps'?)"),
        ('{"Steps": [], "Version": "1"}', "Unknown Version '1'. (at Version; there are: 2020-12-01)"),
        ('{"Steps": [], "Metadata": 7}', "Expecting start of Json Object. (at Metadata; 'Metadata' is an integer)"),
        ('{"Steps": [3]}', "Expecting start of Json Object. (at Steps[0]; found an integer)"),
    ],
)
def test_a_text_that_is_no_definition_is_refused(refuse: Refuse, text: str, reason: str) -> None:
    assert refuse(text).startswith(reason)


def test_an_empty_list_of_steps_and_null_members_are_accepted(parse: Parse) -> None:
    nothing = {"Metadata": None, "MlflowConfig": None, "PipelineExperimentConfig": None, "Parameters": None}
    assert parse(json.dumps({"Steps": [], **nothing})).all_steps() == {}


@pytest.mark.parametrize("text", ["[" * 200_000, '{"Steps": ' + "[" * 900 + "]" * 900 + "}"])
def test_a_deeply_nested_text_is_refused(refuse: Refuse, text: str) -> None:
    assert refuse(text)


def test_deeply_nested_expressions_are_refused(refuse: Refuse) -> None:
    nested: Any = "a"
    for _ in range(150):
        nested = join(nested)
    reason = refuse(definition(training("Train", arguments={"RoleArn": nested})))
    assert reason == "Nested too deeply; at most 100 levels are allowed. (step 'Train', at Steps[0].Arguments.RoleArn)"


def test_deeply_nested_conditions_are_refused(refuse: Refuse) -> None:
    nested = compare("Equals", 1, 1)
    for _ in range(150):
        nested = {"Type": "Not", "Condition": nested}
    assert refuse(definition(condition("Gate", nested))).startswith("Nested too deeply")


def test_nesting_within_the_limit_is_accepted(parse: Parse) -> None:
    nested: Any = "a"
    for _ in range(20):
        nested = join(nested)
    assert parse(definition(training("Train", arguments={"RoleArn": nested})))


def test_a_definition_above_one_mebibyte_is_refused(refuse: Refuse, parse: Parse) -> None:
    text = definition(fail("Stop"))
    assert parse(text.ljust(1024 * 1024))
    assert refuse(text.ljust(1024 * 1024 + 1)) == "It has 1048577 characters; at most 1048576 are allowed."


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ({"Name": "a b"}, "Invalid Name 'a b'. (at Parameters[0].Name; it must match [A-Za-z0-9"),
        ({"Type": "String"}, "Missing member 'Name'. (at Parameters[0])"),
        ({"Name": "P", "Type": "Number"}, "Unknown Type 'Number'. (at Parameters[0].Type; there are: String, "),
        ({"Name": "P", "Type": "Integer", "DefaultValue": "7"}, "Default of parameter 'P' is not of type Integer."),
        ({"Name": "P", "Type": "Integer", "DefaultValue": 7.0}, "Default of parameter 'P' is not of type Integer."),
        ({"Name": "P", "Type": "Integer", "DefaultValue": True}, "Default of parameter 'P' is not of type Integer."),
        ({"Name": "P", "Type": "Integer", "DefaultValue": 2**63}, "'DefaultValue' is 9223372036854775808; it must"),
        ({"Name": "P", "Type": "Float", "DefaultValue": 10**400}, "'DefaultValue' is 1000"),
        ({"Name": "P", "Type": "Boolean", "DefaultValue": 1}, "Default of parameter 'P' is not of type Boolean."),
        ({"Name": "P", "Type": "String", "DefaultValue": "x" * 4097}, "'DefaultValue' has 4097 characters; at most"),
        (
            {"Name": "P", "DefaultValue": "c", "EnumValues": ["a", "b"]},
            "Default 'c' of parameter 'P' is not allowed. (at Parameters[0]; EnumValues are: a, b)",
        ),
        ({"Name": "P", "EnumValues": [1]}, "EnumValues of parameter 'P' must be strings."),
        ({"Name": "P", "EnumValues": ["a"] * 17}, "Parameter 'P' has 17 EnumValues; at most 16 are allowed."),
        ({"Name": "P", "Type": "Integer", "EnumValues": ["1"]}, "EnumValues of parameter 'P' need the type String"),
        (
            {"Name": "P", "Default": 1},
            "Unknown member 'Default'. (at Parameters[0].Default; did you mean 'DefaultValue'",
        ),
    ],
)
def test_a_wrong_parameter_is_refused(refuse: Refuse, parameter: dict[str, Any], reason: str) -> None:
    assert refuse(definition(fail("Stop"), parameters=[parameter])).startswith(reason)


def test_parameters_are_unique_and_at_most_two_hundred(refuse: Refuse) -> None:
    twice = [{"Name": "P"}, {"Name": "P"}]
    assert refuse(definition(parameters=twice)) == "Duplicate parameter name 'P'. (at Parameters[1])"
    many = [{"Name": f"P{number}"} for number in range(201)]
    assert refuse(definition(parameters=many)).startswith("201 parameters are declared; at most 200")


def test_a_parameter_without_a_type_is_a_string_and_a_whole_float_default_a_float(parse: Parse) -> None:
    parameters = parse(
        definition(parameters=[{"Name": "S"}, {"Name": "F", "Type": "Float", "DefaultValue": 1}])
    ).parameters
    assert parameters["S"].type == "String"
    assert isinstance(parameters["F"].default, float)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (fail("a b"), "Invalid Name 'a b'. (at Steps[0].Name; it must match"),
        (fail("x" * 65), "Invalid Name 'xxx"),
        (fail("Stop", Nmae="x"), "Unknown member 'Nmae'. (at Steps[0].Nmae; did you mean 'Name'?)"),
        (
            {"Name": "Hook", "Type": "Lambda"},
            "Step type 'Lambda' does not run on this machine yet. (step 'Hook', at Steps",
        ),
        (
            {"Name": "Hook", "Type": "Trainin"},
            "Unknown step type 'Trainin'. (step 'Hook', at Steps[0]; did you mean 'Train",
        ),
        ({"Name": "T", "Type": "Training"}, "Missing member 'Arguments'. (step 'T', at Steps[0])"),
        (
            fail("Stop", 7),
            "Expecting a string for 'ErrorMessage'. (step 'Stop', at Steps[0].Arguments.ErrorMessage; found",
        ),
        (fail("Stop", CacheConfig={"Enabled": True}), "Unknown member 'CacheConfig'."),
        (training("T", PropertyFiles=[]), "Unknown member 'PropertyFiles'."),
        (training("T", DisplayName="x" * 257), "'DisplayName' has 257 characters; at most 256 are allowed."),
        (training("T", CacheConfig={"Enabled": "yes"}), "Expecting true or false for 'Enabled'."),
        (
            training("T", CacheConfig={"Enabled": True, "ExpireAfter": "a week"}),
            "Invalid duration 'a week'. (step 'T', at Steps[0].CacheConfig.ExpireAfter; write an ISO 8601 duration",
        ),
        (training("T", DependsOn="A"), "Expecting start of Json Array. (step 'T', at Steps[0].DependsOn; "),
        (training("T", DependsOn=[{"Step": "T", "Trigger": "Done"}]), "Unknown Trigger 'Done'."),
        (
            training("T", DependsOn=["A", {"Step": "A", "Trigger": "Failed"}]),
            "DependsOn names 'A' with two triggers, Completed and Failed. (step 'T', at Steps[0].DependsOn[1])",
        ),
    ],
)
def test_a_wrong_step_is_refused(refuse: Refuse, step: dict[str, Any], reason: str) -> None:
    assert refuse(definition(step)).startswith(reason)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (
            {"MaxAttempts": 3, "ExpireAfterMin": 5},
            "A retry policy takes one of 'MaxAttempts' and 'ExpireAfterMin', not",
        ),
        ({"ExceptionType": ["Step.UNKNOWN"]}, "Unknown exception type 'Step.UNKNOWN'."),
        ({"IntervalSeconds": 43201}, "'IntervalSeconds' is 43201; it must be from 0 to 43200."),
        ({"MaxAttempts": 21}, "'MaxAttempts' is 21; it must be from 0 to 20."),
        ({"MaxAttempts": 1.5}, "Expecting an integer for 'MaxAttempts'."),
        ({"ExpireAfterMin": 14401}, "'ExpireAfterMin' is 14401; it must be from 0 to 14400."),
        ({"BackoffRate": "2"}, "Expecting a number for 'BackoffRate'."),
    ],
)
def test_a_wrong_retry_policy_is_refused(refuse: Refuse, policy: dict[str, Any], reason: str) -> None:
    whole = {"ExceptionType": ["Step.THROTTLING"], **policy}
    assert refuse(definition(training("T", RetryPolicies=[whole]))).startswith(reason)


def test_an_expiry_is_ignored_where_caching_is_off(parse: Parse) -> None:
    step = training("T", CacheConfig={"Enabled": False, "ExpireAfter": "nonsense"})
    cache = parse(definition(step)).steps[0].cache
    assert cache is not None
    assert not cache.enabled


def test_a_step_name_is_unique_over_all_branches(refuse: Refuse) -> None:
    gate = condition("Gate", if_steps=[fail("Stop")], else_steps=[training("Train")])
    reason = refuse(definition(training("Train"), gate))
    assert reason == "Duplicate step name 'Train'. (step 'Train', at Steps[1].Arguments.ElseSteps[0])"


def test_a_condition_in_a_branch_is_refused(refuse: Refuse) -> None:
    reason = refuse(definition(condition("Outer", if_steps=[condition("Inner")])))
    assert reason.startswith("A condition step cannot stand in a branch of another, 'Outer'. (step 'Inner', at ")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"Type": "Greater"}, "Unknown condition type 'Greater'."),
        ({"Type": "Equals", "LeftValue": 1}, "Missing member 'RightValue'."),
        ({"Type": "Equals", "LeftValue": 1, "RightValue": [1]}, "Expecting a string, a number, a boolean or an expr"),
        ({"Type": "In", "QueryValue": 1, "Values": 1}, "Expecting start of Json Array."),
        (
            {"Type": "In", "QueryValue": 1, "Values": [None]},
            "Expecting a string, a number, a boolean or an expression.",
        ),
        ({"Type": "In", "Value": 1, "Values": [1]}, "Unknown member 'Value'."),
        ({"Type": "Not", "Condition": 1}, "Unknown condition type None."),
        ({"Type": "Or", "Conditions": {}}, "Expecting start of Json Array."),
        ("Equals", "Unknown condition type None."),
    ],
)
def test_a_wrong_condition_is_refused(refuse: Refuse, wrong: Any, reason: str) -> None:
    message = refuse(definition(condition("Gate", wrong)))
    assert message.startswith(reason)
    assert "(step 'Gate', at Steps[0].Arguments.Conditions[0]" in message


def test_conditions_must_be_a_list(refuse: Refuse) -> None:
    gate = {"Name": "Gate", "Type": "Condition", "Arguments": {"Conditions": {}}}
    assert refuse(definition(gate)).startswith(
        "Expecting start of Json Array. (step 'Gate', at Steps[0].Arguments.Cond"
    )


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ({"Get": 7}, "Expecting a string for 'Get'."),
        (get("Train"), "Invalid reference 'Train': it must begin with one of Parameters, Execution, Steps"),
        (get("Steps.A..B"), "Invalid reference 'Steps.A..B': expected Name(.Member | ['key'] | [0])*."),
        ({"Std:Join": []}, "Expecting start of Json Object."),
        ({"Std:Join": {"On": 1, "Values": []}}, "Expecting a string for 'On'."),
        ({"Std:Join": {"On": ""}}, "Missing member 'Values'."),
        (join({"a": 1}), "Expecting a string, a number, a boolean or an expression."),
        (join(None), "Expecting a string, a number, a boolean or an expression."),
        ({"Std:JsonGet": {"Path": "a"}}, "Std:JsonGet takes exactly one of 'PropertyFile' and 'S3Uri'."),
        ({"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "$..a"}}, "Invalid JSON path '$..a'"),
        ({"Std:JsonGet": {"PropertyFile": "Report", "Path": "a"}}, "Expecting a reference to a property file."),
        ({"Std:JsonGet": {"PropertyFile": get("Parameters.P"), "Path": "a"}}, "'Parameters.P' is no property file."),
    ],
)
def test_a_wrong_expression_is_refused(refuse: Refuse, expression: Any, reason: str) -> None:
    message = refuse(definition(training("T", arguments={"RoleArn": expression}), parameters=[{"Name": "P"}]))
    assert message.startswith(reason)
    assert "step 'T', at Steps[0].Arguments.RoleArn" in message


REPORT = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (
            "Parameters.Rol",
            "Parameter 'Rol' is not defined. (step 'T', at Steps[1].Arguments.RoleArn; did you mean 'Role'",
        ),
        ("Parameters.Role.x", "'Parameters.Role.x' leads nowhere: parameters have no members."),
        ("Execution.Id", "Execution variable 'Id' is not known."),
        ("Steps.Proces.ExitMessage", "'Steps.Proces.ExitMessage' refers to no step. (step 'T', at Steps[1].Arguments"),
        ("Steps.Process", "'Steps.Process' names no property of the step."),
        (
            "Steps.Process.ExitMesage",
            "'Steps.Process.ExitMesage' leads nowhere: 'DescribeProcessingJobResponse' has no",
        ),
        (
            "Steps.Process.ExitMessage.x",
            "'Steps.Process.ExitMessage.x' leads nowhere: There is no property 'x' below a",
        ),
        (
            "Steps.Process.AppSpecification.ContainerArguments['a']",
            "'Steps.Process.AppSpecification.ContainerArguments.a'",
        ),
        (
            "Steps.Process.PropertyFiles.Report",
            "'Steps.Process.PropertyFiles.Report' can stand only in the PropertyFile",
        ),
        ("Steps.Stop.ErrorMessage", "'Steps.Stop.ErrorMessage' cannot be: a Fail step has no properties."),
        ("Steps.Gate.Outcom", "'Steps.Gate.Outcom' leads nowhere: A condition step has one property."),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(refuse: Refuse, reference: str, reason: str) -> None:
    steps = (
        processing("Process", PropertyFiles=REPORT),
        training("T", arguments={"RoleArn": get(reference)}),
        fail("Stop"),
        condition("Gate"),
    )
    assert refuse(definition(*steps, parameters=[{"Name": "Role"}])).startswith(reason)


@pytest.mark.parametrize(
    "reference",
    [
        "Steps.Process.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri",
        "Steps.Process.ProcessingInputs[0].S3Input.S3Uri",
        "Steps.Process.Environment['a.b']",
        "Steps['Process'].ExitMessage",
        "Execution.PipelineName",
        "Parameters.Role",
        "Steps.Gate.Outcome",
    ],
)
def test_a_reference_that_leads_somewhere_is_accepted(parse: Parse, reference: str) -> None:
    steps = (processing("Process"), condition("Gate"), training("T", arguments={"RoleArn": get(reference)}))
    assert parse(definition(*steps, parameters=[{"Name": "Role"}]))


def test_a_property_file_must_be_declared_and_stand_in_an_output(refuse: Refuse) -> None:
    gate = condition("Gate", compare("Equals", json_get("Process", "Reprot", "a"), 1))
    undeclared = refuse(definition(processing("Process", PropertyFiles=REPORT), gate))
    assert undeclared.startswith("'Steps.Process.PropertyFiles.Reprot' refers to no property file. (step 'Gate', at ")
    assert "did you mean 'Report'?" in undeclared
    elsewhere = [{"PropertyFileName": "Report", "OutputName": "raport", "FilePath": "report.json"}]
    reason = refuse(definition(processing("Process", PropertyFiles=elsewhere)))
    assert reason.startswith("Property file 'Report' stands in no output: there is no 'raport'. (step 'Process', at ")
    assert refuse(definition(processing("Process", PropertyFiles=REPORT * 2))).startswith(
        "Duplicate property file name"
    )


def test_an_experiment_may_refer_only_to_parameters_and_the_execution(refuse: Refuse) -> None:
    config = {"ExperimentName": get("Steps.T.TrainingJobName"), "TrialName": get("Execution.PipelineExecutionId")}
    reason = refuse(definition(training("T"), PipelineExperimentConfig=config))
    assert reason.startswith("'Steps.T.TrainingJobName' cannot stand here: no step has run yet. (at PipelineExperiment")


def test_depending_on_a_fail_step_is_refused(refuse: Refuse) -> None:
    reason = refuse(definition(fail("Stop"), condition("CondStep", DependsOn=["Stop"])))
    assert "CondStep can not depends on FailStep" in reason


def test_depending_on_no_step_names_the_steps_there_are(refuse: Refuse) -> None:
    reason = refuse(definition(training("Train"), training("Next", DependsOn=["Trian"])))
    assert reason == "DependsOn names no step 'Trian'. (step 'Next', at Steps[1].DependsOn[0]; did you mean 'Train'?)"


def test_a_cycle_is_printed_in_order(refuse: Refuse) -> None:
    steps = (
        training("a", DependsOn=["c"]),
        training("b", arguments={"RoleArn": get("Steps.a.RoleArn")}),
        training("c", DependsOn=["b"]),
    )
    assert refuse(definition(*steps)) == "The steps wait for each other in a cycle: a -> c -> b -> a."


def test_a_step_that_waits_for_itself_is_refused(refuse: Refuse) -> None:
    assert refuse(definition(training("a", DependsOn=["a"]))).endswith("in a cycle: a -> a.")


def test_a_condition_that_waits_for_its_own_branch_is_refused(refuse: Refuse) -> None:
    gate = condition("Gate", compare("Equals", get("Steps.T.RoleArn"), "x"), if_steps=[training("T")])
    assert refuse(definition(gate)).endswith("in a cycle: Gate -> T -> Gate.")


def test_a_chain_of_two_thousand_steps_is_accepted(parse: Parse) -> None:
    chain = [fail("s0")] + [condition(f"s{n}", DependsOn=[f"s{n - 1}"] if n > 1 else []) for n in range(1, 2000)]
    assert len(parse(definition(*reversed(chain))).all_steps()) == 2000


@pytest.mark.parametrize("arguments", [None, {}, {"ErrorMessage": None}])
def test_a_fail_step_needs_no_message(parse: Parse, arguments: Any) -> None:
    step = parse(definition({"Name": "Stop", "Type": "Fail", "Arguments": arguments})).steps[0]
    assert step.arguments == {}


def test_an_output_whose_name_is_known_only_at_run_time_is_left_to_the_run(parse: Parse) -> None:
    outputs = {"ProcessingOutputConfig": get("Parameters.Outputs")}
    step = processing("Process", arguments=outputs, PropertyFiles=REPORT)
    assert parse(definition(step, parameters=[{"Name": "Outputs"}]))


def test_a_message_stays_one_short_line_whatever_the_names_are(refuse: Refuse) -> None:
    reason = refuse(json.dumps({"Steps": [], "a\nb" + "x" * 5000: 1}))
    assert reason.startswith("Unknown member 'a\\nbxxx")
    assert len(reason) < 1100
