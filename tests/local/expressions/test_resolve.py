"""Expressions are replaced by their values, or fail the step with one line."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.definition.references import FUNCTIONS
from pipelines.local.errors import ServiceError, StepFailure
from pipelines.local.expressions import Scope, as_text, resolve
from tests.definitions.by_hand import get, join, json_get

DOCUMENTS: dict[str, Any] = {
    "Train": {
        "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"},
        "HyperParameters": {"batch-size": "32", "a.b": "dotted", "c:d": "colon"},
        "FinalMetricDataList": [
            {"MetricName": "train:auc", "Value": 0.9},
            {"MetricName": "validation:auc", "Value": 0.8},
        ],
        "InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv"}],
        "EnableManagedSpotTraining": False,
    },
    "Process": {
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://bucket/train"}}]}
    },
    "Tune": {"TrainingJobSummaries": [{"TrainingJobName": "best"}, {"TrainingJobName": "second"}]},
    "Gate": {"Outcome": True},
}
REPORT = b'{"metrics": {"roc-auc": [{"value": 0.87}]}, "n": 3, "bad": NaN, "ok": true, "none": null}'
FILES = {
    "s3://bucket/report.json": REPORT,
    "s3://bucket/broken.json": b'{"metrics": ',
    "s3://bucket/deep.json": b"[" * 100_000,
    "s3://bucket/binary.json": b"\xff\xfe\xfa",
}


def properties(step: str) -> Any:
    return DOCUMENTS[step]


def property_file(step: str, name: str) -> str:
    assert step == "Process"
    return f"s3://bucket/{name}.json"


def read(uri: str) -> bytes:
    if uri not in FILES:
        raise ServiceError("NoSuchKey", f"there is no {uri}", status=404)
    return FILES[uri]


SCOPE = Scope(
    parameters={"Count": 7, "Threshold": 0.85, "Enabled": True, "Name": "n"},
    execution={"PipelineName": "pipeline", "PipelineExecutionId": "abcdefghijkl"},
    properties=properties,
    property_file=property_file,
    read=read,
    experiment_config={"TrialName": "trial"},
)


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("Parameters.Count", 7),
        ("Parameters.Enabled", True),
        ("Execution.PipelineExecutionId", "abcdefghijkl"),
        ("PipelineExperimentConfig.TrialName", "trial"),
        ("Steps.Train.ModelArtifacts.S3ModelArtifacts", "s3://bucket/model.tar.gz"),
        ("Steps.Train.HyperParameters['batch-size']", "32"),
        ("Steps.Train.HyperParameters['a.b']", "dotted"),
        ("Steps.Train.HyperParameters['c:d']", "colon"),
        ("Steps.Train.FinalMetricDataList['validation:auc'].Value", 0.8),
        ("Steps.Train.FinalMetricDataList[0].MetricName", "train:auc"),
        ("Steps.Train.InputDataConfig['train'].ContentType", "text/csv"),
        ("Steps.Process.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri", "s3://bucket/train"),
        ("Steps.Tune.TrainingJobSummaries[1].TrainingJobName", "second"),
        ("Steps.Gate.Outcome", True),
    ],
)
def test_a_reference_is_replaced_by_its_value_of_its_own_type(reference: str, value: object) -> None:
    resolved = resolve({"a": [get(reference)]}, SCOPE)
    assert resolved == {"a": [value]}
    assert type(resolved["a"][0]) is type(value)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("Parameters.Other", "Parameters.Other has no value in this execution"),
        ("Execution.TrainingJobName", "Execution.TrainingJobName has no value in this execution"),
        (
            "Steps.Train.ModelArtifacts.S3",
            "Steps.Train.ModelArtifacts.S3 has no value: there is no 'S3'; there are: S3ModelArtifacts",
        ),
        (
            "Steps.Train.FinalMetricDataList['test:auc'].Value",
            "Steps.Train.FinalMetricDataList['test:auc'].Value has no value: there is no 'test:auc'; "
            "there are: train:auc, validation:auc",
        ),
        (
            "Steps.Tune.TrainingJobSummaries[2].TrainingJobName",
            "Steps.Tune.TrainingJobSummaries[2].TrainingJobName has no value: there is no [2] in a list of 2",
        ),
        ("Steps.Gate.Outcome.x", "Steps.Gate.Outcome.x has no value: there is no 'x' below true"),
        ("Steps.Other.x", "Steps.Other.x has no value: step 'Other' has no properties ('Other')"),
    ],
)
def test_a_reference_without_a_value_fails_the_step_and_is_named(reference: str, reason: str) -> None:
    with pytest.raises(StepFailure) as caught:
        resolve(get(reference), SCOPE)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (join("a", "b", on="/"), "a/b"),
        (join(), ""),
        ({"Std:Join": {"Values": ["a", "b"]}}, "ab"),
        (join("count", get("Parameters.Count"), on="="), "count=7"),
        (join(get("Parameters.Threshold")), "0.85"),
        (join(1.0, 1e-05, 10**20, on=" "), "1.0 1e-05 100000000000000000000"),
        (join(get("Steps.Gate.Outcome"), False, on=" "), "true false"),
        (join("s3:/", join("a", join("b", "c"), on="-"), on="/"), "s3://a-bc"),
        (join(json_get("Process", "report", "n"), on=" "), "3"),
    ],
)
def test_a_join_is_text(expression: Any, text: str) -> None:
    assert resolve(expression, SCOPE) == text


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (
            join(get("Steps.Train.ModelArtifacts")),
            "Steps.Train.ModelArtifacts: Std:Join takes strings, numbers and booleans, not an object",
        ),
        (
            join(get("Steps.Tune.TrainingJobSummaries")),
            "Steps.Tune.TrainingJobSummaries: Std:Join takes strings, numbers and booleans, not an array",
        ),
        (join(json_get("Process", "report", "none")), "Std:Join takes strings, numbers and booleans, not null"),
    ],
)
def test_a_join_of_what_is_no_text_fails_the_step(expression: Any, reason: str) -> None:
    with pytest.raises(StepFailure) as caught:
        resolve(expression, SCOPE)
    assert str(caught.value) == reason


@pytest.mark.parametrize("path", ["metrics['roc-auc'][0].value", "$.metrics['roc-auc'][0].value"])
def test_a_json_get_reads_a_property_file(path: str) -> None:
    assert resolve(json_get("Process", "report", path), SCOPE) == 0.87


def test_a_json_get_reads_an_s3_uri() -> None:
    expression = {"Std:JsonGet": {"S3Uri": join("s3:/", "bucket", "report.json", on="/"), "Path": join("o", "k")}}
    assert resolve(expression, SCOPE) is True


@pytest.mark.parametrize(
    ("file", "path", "reason"),
    [
        (
            "other",
            "a",
            "Std:JsonGet of 'a' in s3://bucket/other.json: the file cannot be read: there is no s3://bucket/oth",
        ),
        ("broken", "a", "Std:JsonGet of 'a' in s3://bucket/broken.json: the file is not valid JSON: Expecting value"),
        ("deep", "a", "Std:JsonGet of 'a' in s3://bucket/deep.json: the file is not valid JSON: nested too deeply"),
        ("binary", "a", "Std:JsonGet of 'a' in s3://bucket/binary.json: the file is not valid JSON: "),
        (
            "report",
            "metrics.auc",
            "Std:JsonGet of 'metrics.auc' in s3://bucket/report.json: there is no 'auc'; there are: roc-auc",
        ),
        ("report", "n.x", "Std:JsonGet of 'n.x' in s3://bucket/report.json: there is no 'x' below 3"),
        (
            "report",
            "metrics['roc-auc'].value",
            "Std:JsonGet of 'metrics['roc-auc'].value' in s3://bucket/report.json: ",
        ),
        ("report", "bad", "Std:JsonGet of 'bad' in s3://bucket/report.json: the value is nan, which is no JSON number"),
    ],
)
def test_a_json_get_without_a_value_names_the_file_and_the_path(file: str, path: str, reason: str) -> None:
    with pytest.raises(StepFailure) as caught:
        resolve(json_get("Process", file, path), SCOPE)
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


def test_a_json_path_that_is_only_known_at_run_time_is_checked_then() -> None:
    with pytest.raises(StepFailure, match=r"Invalid JSON path 'a\.\.b'"):
        resolve({"Std:JsonGet": {"S3Uri": "s3://bucket/report.json", "Path": join("a", "..b")}}, SCOPE)


@pytest.mark.parametrize("error", [FileNotFoundError, StepFailure])
def test_a_file_that_cannot_be_read_is_named_with_the_path(error: type[Exception]) -> None:
    def missing(uri: str) -> bytes:
        raise error(uri)

    scope = Scope({}, {}, properties, property_file, missing)
    with pytest.raises(
        StepFailure, match=r"Std:JsonGet of 'n' in .*: the file cannot be read: s3://bucket/report\.json"
    ):
        resolve(json_get("Process", "report", "n"), scope)


def plain(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(st.text(), children, max_size=4)
    return st.lists(children, max_size=4) | objects.filter(
        lambda value: not (len(value) == 1 and FUNCTIONS & set(value))
    )


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), plain))
def test_what_holds_no_expression_stays_as_it_is(value: Any) -> None:
    before = json.dumps(value)
    assert resolve(value, SCOPE) == value
    assert json.dumps(value) == before


def test_what_is_resolved_is_left_as_it_was() -> None:
    value = {"a": [get("Parameters.Count")]}
    resolve(value, SCOPE)
    assert value == {"a": [get("Parameters.Count")]}


@given(st.integers() | st.booleans() | st.text() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_as_text_reads_back(value: Any) -> None:
    text = as_text(value)
    assert (text if isinstance(value, str) else json.loads(text)) == value
