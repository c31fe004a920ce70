"""Parameters get their values when an execution starts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.definition import Definition, Parameter
from pipelines.local.errors import ValidationError
from pipelines.local.expressions import bind_parameters

PARAMETERS = (
    Parameter("Count", "Integer", 1),
    Parameter("Threshold", "Float", 0.85),
    Parameter("Enabled", "Boolean", default=False),
    Parameter("Approval", "String", "Pending", ("Pending", "Approved")),
    Parameter("Data", "String"),
)


def defined(*parameters: Parameter) -> Definition:
    return Definition({parameter.name: parameter for parameter in parameters}, (), None, "")


EVERY = defined(*PARAMETERS)


def test_defaults_stand_where_nothing_is_given_in_the_order_of_the_definition() -> None:
    bound = bind_parameters(EVERY, {"Data": "s3://bucket/data"})
    assert list(bound.items()) == [
        ("Count", 1),
        ("Threshold", 0.85),
        ("Enabled", False),
        ("Approval", "Pending"),
        ("Data", "s3://bucket/data"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("Count", "7", 7),
        ("Count", "-3", -3),
        ("Count", "+9223372036854775807", 2**63 - 1),
        ("Threshold", "0.9", 0.9),
        ("Threshold", "7", 7.0),
        ("Threshold", "-1e-3", -0.001),
        ("Threshold", ".5", 0.5),
        ("Enabled", "True", True),
        ("Enabled", "true", True),
        ("Enabled", "FALSE", False),
        ("Approval", "Approved", "Approved"),
        ("Data", " spaces stay ", " spaces stay "),
        ("Data", "7", "7"),
    ],
)
def test_a_given_value_is_read_by_the_type_of_its_parameter(name: str, text: str, value: object) -> None:
    bound = bind_parameters(EVERY, {"Data": "d", name: text})
    assert bound[name] == value
    assert type(bound[name]) is type(value)


@pytest.mark.parametrize(
    "text", ["abc", "7.0", "1e3", "1_000", " 7", "0x7", "٧", "9223372036854775808", "9" * 5000, "NaN"]
)
def test_what_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="for parameter 'Count': "):
        bind_parameters(EVERY, {"Data": "d", "Count": text})


@pytest.mark.parametrize(
    "text", ["abc", "nan", "NaN", "inf", "-Infinity", "1e999", "1_0.0", "0,9", ".", "True", "1e99999"]
)
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(
        ValidationError, match=r"for parameter 'Threshold': a Float is a finite number, such as 0\.85\."
    ):
        bind_parameters(EVERY, {"Data": "d", "Threshold": text})


@pytest.mark.parametrize("text", ["1", "yes", "None", "t", " true"])
def test_what_is_no_boolean_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=r"for parameter 'Enabled': a Boolean is true or false\."):
        bind_parameters(EVERY, {"Data": "d", "Enabled": text})


@pytest.mark.parametrize(
    ("given_values", "message"),
    [
        (
            {"Data": "d", "Approval": "approved"},
            "Invalid value 'approved' for parameter 'Approval': it must be one of Pending, Approved.",
        ),
        ({"Data": "d", "Treshold": "1"}, "Unknown parameter 'Treshold' (did you mean 'Threshold'?)."),
        (
            {"Data": "d", "x": "1"},
            "Unknown parameter 'x' (there are: Count, Threshold, Enabled, Approval, Data).",
        ),
        ({}, "Parameter 'Data' must be given a value: the definition has no default."),
        (
            {"Data": ""},
            "Invalid value for parameter 'Data': string \"\" is too short (length: 0, required minimum: 1); "
            "leave it out to use the default.",
        ),
        (
            {"Data": "d", "Count": ""},
            "Invalid value for parameter 'Count': string \"\" is too short (length: 0, required minimum: 1); "
            "leave it out to use the default.",
        ),
        (
            {"Data": "x" * 1025},
            f"Invalid value '{'x' * 100}' for parameter 'Data': at most 1024 characters are allowed.",
        ),
        (
            {"Data": "d", "Approval": "a\nb"},
            "Invalid value 'a\\nb' for parameter 'Approval': it must be one of Pending, Approved.",
        ),
    ],
)
def test_a_refusal_names_the_parameter_and_what_is_allowed(given_values: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        bind_parameters(EVERY, given_values)
    assert str(caught.value) == message
    assert caught.value.code == "ValidationException"


def test_all_missing_values_are_named_at_once() -> None:
    with pytest.raises(ValidationError, match="Parameters 'A', 'B' must be given a value"):
        bind_parameters(defined(Parameter("A", "String"), Parameter("B", "Integer")), {})


def test_an_unknown_parameter_of_a_pipeline_without_any_is_refused() -> None:
    with pytest.raises(ValidationError, match="the pipeline declares 0 parameters"):
        bind_parameters(defined(), {"A": "1"})


@given(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_what_the_sdk_sends_comes_back(count: int, threshold: float, enabled: bool) -> None:
    sent = {"Count": str(count), "Threshold": str(threshold), "Enabled": str(enabled), "Data": "d"}
    bound = bind_parameters(EVERY, sent)
    assert (bound["Count"], bound["Threshold"], bound["Enabled"]) == (count, threshold, enabled)
