"""Step caching by the service's rules, and the reasons of misses."""

import time
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.cache import Cache, Entry, key_members
from pipelines.local.database import Database

TRAINING: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": "xgboost:3.2-0", "TrainingInputMode": "File"},
    "HyperParameters": {"eta": "0.2", "max_depth": "3"},
    "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/train"}}}],
    "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
    "RoleArn": "arn:aws:iam::000000000000:role/one",
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "Tags": [{"Key": "a", "Value": "b"}],
}
SUCCESS = Entry("arn:execution/first", {"TrainingJob": {"Arn": "arn:training-job/one"}})


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(Database(tmp_path / "state.sqlite"))


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the training arguments with one member, by a dotted path, replaced."""
    *parents, last = path.split(".")
    arguments: dict[str, Any] = {**TRAINING}
    inner = arguments
    for parent in parents:
        inner[parent] = {**inner[parent]}
        inner = inner[parent]
    inner[last] = value
    return arguments


def test_the_same_arguments_hit(cache: Cache) -> None:
    cache.remember("p/Train", key_members("Training", TRAINING), SUCCESS)
    lookup = cache.find("p/Train", key_members("Training", dict(TRAINING)), None)
    assert lookup.entry == SUCCESS
    assert lookup.reason == "nothing that counts has changed since first"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ResourceConfig.InstanceType", "ml.c5.xlarge"),
        ("ResourceConfig.InstanceCount", 2),
        ("RoleArn", "arn:aws:iam::000000000000:role/two"),
        ("OutputDataConfig.S3OutputPath", "s3://b/elsewhere"),
        ("StoppingCondition.MaxRuntimeInSeconds", 60),
        ("Tags", []),
        ("VpcConfig", {"Subnets": ["subnet-0a"], "SecurityGroupIds": ["sg-0a"]}),
    ],
)
def test_what_the_service_leaves_out_of_the_key_may_change(cache: Cache, path: str, value: object) -> None:
    cache.remember("p/Train", key_members("Training", TRAINING), SUCCESS)
    assert cache.find("p/Train", key_members("Training", changed(path, value)), None).entry == SUCCESS


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("HyperParameters.eta", "0.3", 'HyperParameters.eta was "0.2", is "0.3"'),
        ("HyperParameters.alpha", "1", 'HyperParameters.alpha was absent, is "1"'),
        (
            "AlgorithmSpecification.TrainingImage",
            "xgboost:3.0-5",
            'AlgorithmSpecification.TrainingImage was "xgboost:3.2-0", is "xgboost:3.0-5"',
        ),
        ("Environment", {"A": "1"}, 'Environment was absent, is {"A": "1"}'),
        (
            "InputDataConfig",
            [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/other"}}}],
            'InputDataConfig[0].DataSource.S3DataSource.S3Uri was "s3://b/train", is "s3://b/other"',
        ),
    ],
)
def test_a_change_of_the_key_misses_and_is_named(cache: Cache, path: str, value: object, reason: str) -> None:
    cache.remember("p/Train", key_members("Training", TRAINING), SUCCESS)
    lookup = cache.find("p/Train", key_members("Training", changed(path, value)), None)
    assert lookup.entry is None
    assert lookup.reason == f"changed since its last success: {reason}"


def test_a_reason_names_three_changes_and_counts_the_rest(cache: Cache) -> None:
    cache.remember("p/Train", key_members("Training", TRAINING), SUCCESS)
    other = changed("HyperParameters", dict.fromkeys("abcde", "1"))
    reason = cache.find("p/Train", key_members("Training", other), None).reason
    assert reason.count(";") == 3
    assert reason.endswith("; and 4 more")


@pytest.mark.parametrize("step", ["p/Other", "q/Train"])
def test_another_step_or_pipeline_never_hits(cache: Cache, step: str) -> None:
    cache.remember("p/Train", key_members("Training", TRAINING), SUCCESS)
    lookup = cache.find(step, key_members("Training", TRAINING), None)
    assert lookup.entry is None
    assert lookup.reason == "no earlier run of this step succeeded"


def test_an_older_success_than_allowed_misses(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    cache.remember("p/Train", key_members("Training", TRAINING), SUCCESS)
    monkeypatch.setattr(time, "time", lambda: now + 8 * 86400)
    members = key_members("Training", TRAINING)
    lookup = cache.find("p/Train", members, 7 * 86400)
    assert lookup.entry is None
    assert lookup.reason == "the same run is 8 days old, and expires after 7 days"
    assert cache.find("p/Train", members, 9 * 86400).entry == SUCCESS


def test_of_several_successes_the_most_recent_is_reused(cache: Cache) -> None:
    members = key_members("Training", TRAINING)
    newer = Entry("arn:execution/second", {"TrainingJob": {"Arn": "arn:training-job/two"}})
    cache.remember("p/Train", members, SUCCESS)
    cache.remember("p/Train", members, newer)
    assert cache.find("p/Train", members, None).entry == newer


def test_an_older_key_still_hits_after_another_one_succeeded(cache: Cache) -> None:
    cache.remember("p/Train", key_members("Training", TRAINING), SUCCESS)
    cache.remember("p/Train", key_members("Training", changed("HyperParameters.eta", "0.9")), Entry("arn:x/y", {}))
    assert cache.find("p/Train", key_members("Training", TRAINING), None).entry == SUCCESS


def test_of_a_tuning_definition_only_the_documented_members_count() -> None:
    definition = {
        "AlgorithmSpecification": {"TrainingImage": "i"},
        "StaticHyperParameters": {"a": "1"},
        "ResourceConfig": {"InstanceCount": 1},
        "RoleArn": "arn",
    }
    arguments = {"HyperParameterTuningJobConfig": {"Strategy": "Bayesian"}, "TrainingJobDefinition": definition}
    assert key_members("Tuning", arguments) == {
        "HyperParameterTuningJobConfig": {"Strategy": "Bayesian"},
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {"TrainingImage": "i"},
            "StaticHyperParameters": {"a": "1"},
        },
    }


def test_long_values_are_shown_around_their_first_difference(cache: Cache) -> None:
    prefix, rest = "s3://bucket/" + "a" * 100, "z" * 100
    old, new = ({"ProcessingInputs": f"{prefix}/{name}/{rest}"} for name in ("first", "second"))
    cache.remember("p/Evaluate", old, SUCCESS)
    reason = cache.find("p/Evaluate", new, None).reason
    shown = [f'"…{f"{prefix[-14:]}/{name}/{rest}"[:60]}…"' for name in ("first", "second")]
    assert reason == f"changed since its last success: ProcessingInputs was {shown[0]}, is {shown[1]}"


def test_a_long_value_that_ends_with_its_difference_is_shown_to_its_end(cache: Cache) -> None:
    cache.remember("p/Evaluate", {"Environment": "a" * 100 + "b"}, SUCCESS)
    reason = cache.find("p/Evaluate", {"Environment": "a" * 100 + "c"}, None).reason
    assert reason.endswith(f'Environment was "…{"a" * 58}b", is "…{"a" * 58}c"')
