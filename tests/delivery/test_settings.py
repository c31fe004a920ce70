"""The settings file of a pipeline: what is taken, and in which line the rest is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery.settings import RULES, Settings, SettingsError, read_settings

VALUES: dict[str, Any] = {
    "pipeline_name": "claims",
    "model_package_group_name": "claims-models",
    "base_job_prefix": "team/claims",
    "model_description": "Probability of fraud.",
    "region": "eu-west-1",
    "input_data": "s3://bucket/claims/",
    "processing_instance_type": "ml.m5.xlarge",
    "training_instance_type": "ml.g6e-flex.2xlarge",
    "hosting_instance_type": "ml.c5.large",
    "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "security_groups": ["sg-0123456789abcdef0"],
    "roc_auc_threshold": 0.8,
    "max_tuning_jobs": 20,
    "max_parallel_tuning_jobs": 4,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def refused(file: Path) -> str:
    """What is said of a file that cannot be used: one line that begins with its path."""
    with pytest.raises(SettingsError) as raised:
        read_settings(file)
    (line,) = str(raised.value).splitlines()
    assert line.startswith(str(file))
    return line.removeprefix(str(file)).lstrip(": ")


def test_the_members_are_the_keys_and_have_their_values(file: Path) -> None:
    file.write_text(json.dumps(VALUES))
    assert vars(read_settings(file)) == VALUES
    assert list(RULES) == list(Settings.__annotations__) == list(VALUES)


def test_what_may_be_left_open_may_be_null(file: Path) -> None:
    file.write_text(json.dumps(VALUES | {"region": None, "input_data": None}))
    found = read_settings(file)
    assert (found.region, found.input_data) == (None, None)


def test_keys_of_others_are_left_alone(file: Path) -> None:
    file.write_text(json.dumps({"owner": {"team": "fraud"}, **VALUES}))
    assert read_settings(file).pipeline_name == "claims"


@pytest.mark.parametrize("key", VALUES)
def test_a_key_that_is_missing_is_named_with_what_is_allowed(file: Path, key: str) -> None:
    file.write_text(json.dumps({name: value for name, value in VALUES.items() if name != key}))
    assert refused(file) == f"'{key}' is missing; allowed: {RULES[key].words}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pipeline_name", ""),
        ("pipeline_name", "claims_of_mine"),
        ("pipeline_name", "-claims"),
        ("pipeline_name", 7),
        ("model_package_group_name", "a" * 64),
        ("model_package_group_name", None),
        ("base_job_prefix", "/claims"),
        ("base_job_prefix", "claims/"),
        ("base_job_prefix", "my claims"),
        ("model_description", ""),
        ("region", ""),
        ("region", "Ireland"),
        ("input_data", ""),
        ("input_data", ["claims.csv"]),
        ("processing_instance_type", "m5.xlarge"),
        ("training_instance_type", None),
        ("hosting_instance_type", "ml.m5.xlarge\n"),
        ("subnets", None),
        ("subnets", "subnet-0a"),
        ("subnets", ["sg-0a"]),
        ("subnets", ["subnet-0a,subnet-0b"]),
        ("subnets", ["subnet-0a\n"]),
        ("subnets", [7]),
        ("subnets", ["subnet-0a"] * 17),
        ("security_groups", ["subnet-0a"]),
        ("security_groups", ["sg-0a"] * 6),
        ("roc_auc_threshold", 1),
        ("roc_auc_threshold", -0.1),
        ("roc_auc_threshold", "0.8"),
        ("roc_auc_threshold", True),
        ("roc_auc_threshold", float("nan")),
        ("max_tuning_jobs", 0),
        ("max_tuning_jobs", 5.0),
        ("max_parallel_tuning_jobs", True),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is(file: Path, key: str, value: Any) -> None:
    file.write_text(json.dumps(VALUES | {key: value}))
    assert refused(file) == f"'{key}' is {json.dumps(value)}; allowed: {RULES[key].words}"


def test_no_vpc_is_two_empty_lists(file: Path) -> None:
    file.write_text(json.dumps(VALUES | {"subnets": [], "security_groups": []}))
    found = read_settings(file)
    assert (found.subnets, found.security_groups) == ([], [])


@pytest.mark.parametrize(("empty", "given"), [("subnets", "security_groups"), ("security_groups", "subnets")])
def test_a_vpc_is_named_by_both_or_none(file: Path, empty: str, given: str) -> None:
    file.write_text(json.dumps(VALUES | {empty: []}))
    assert refused(file) == f"'{empty}' is [] and '{given}' is not; allowed: both, for a VPC, or none"


def test_there_cannot_be_more_trials_at_once_than_trials(file: Path) -> None:
    file.write_text(json.dumps(VALUES | {"max_parallel_tuning_jobs": 21}))
    assert refused(file) == "'max_parallel_tuning_jobs' is 21; allowed: at most 'max_tuning_jobs', which is 20"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"pipeline_name": "claims"', "is no JSON: Expecting ',' delimiter: line 1 column 27 (char 26); correct it"),
        (b"", "is no JSON: Expecting value: line 1 column 1 (char 0); correct it"),
        (b'{"pipeline_name": "\xff"}', "is no JSON: 'utf-8' codec can't decode byte 0xff"),
        (b"[" * 100_000, "is no JSON: maximum recursion depth exceeded"),
        (b'["claims"]', "has no JSON object: expected one such as"),
    ],
)
def test_a_file_without_settings_is_refused(file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    assert refused(file).startswith(said)


def test_a_file_that_is_not_there_is_asked_for(file: Path) -> None:
    assert refused(file) == "No such file or directory; take the file from the repository again"
