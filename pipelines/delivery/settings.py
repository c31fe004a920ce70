"""The settings file of a pipeline: what a team chooses for itself without touching a source."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.delivery.errors import DeliveryError

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", re.ASCII)
_PREFIX = re.compile(r"[\w.=@+-]+(/[\w.=@+-]+)*", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]", re.ASCII)
_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+", re.ASCII)
_SUBNET = re.compile(r"subnet-[0-9a-f]{1,17}")
_SECURITY_GROUP = re.compile(r"sg-[0-9a-f]{1,17}")
_LONGEST_PIPELINE, _LONGEST_GROUP, _LONGEST_PREFIX, _LONGEST_DESCRIPTION = 256, 63, 128, 1024
_MOST_TRIALS = 750
# Of one job or model: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VpcConfig.html
_MOST_SUBNETS, _MOST_SECURITY_GROUPS = 16, 5


class SettingsError(DeliveryError):
    """A settings file that cannot be used as it is."""


@dataclass(frozen=True)
class Settings:
    """What a team chooses; the members are the keys of the file."""

    pipeline_name: str
    model_package_group_name: str
    base_job_prefix: str
    model_description: str
    region: str | None
    input_data: str | None
    processing_instance_type: str
    training_instance_type: str
    hosting_instance_type: str
    subnets: Sequence[str]
    security_groups: Sequence[str]
    roc_auc_threshold: float
    max_tuning_jobs: int
    max_parallel_tuning_jobs: int


class Rule(NamedTuple):
    """What a key's value may be: a check of it, and the same in words."""

    allows: Callable[[Any], bool]
    words: str


def _name(longest: int) -> Rule:
    words = f"at most {longest} letters, digits and hyphens, no hyphen first or last"
    return Rule(lambda value: _is_text(value, longest) and bool(_NAME.fullmatch(value)), words)


def _ids(form: re.Pattern[str], most: int, example: str) -> Rule:
    def allows(value: Any) -> bool:
        is_list = isinstance(value, list) and len(value) <= most
        return is_list and all(isinstance(each, str) and form.fullmatch(each) for each in value)

    return Rule(allows, f"[] or a list of at most {most} ids such as {example}")


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest


def _is_count(value: object) -> bool:
    # JSON's true is a number to Python.
    return type(value) is int and 1 <= value <= _MOST_TRIALS


_INSTANCES = Rule(
    lambda value: isinstance(value, str) and bool(_INSTANCE_TYPE.fullmatch(value)),
    "an instance type such as ml.m5.xlarge",
)
_COUNT = Rule(_is_count, f"a whole number from 1 to {_MOST_TRIALS}")
RULES: Mapping[str, Rule] = {
    "pipeline_name": _name(_LONGEST_PIPELINE),
    "model_package_group_name": _name(_LONGEST_GROUP),
    "base_job_prefix": Rule(
        lambda value: _is_text(value, _LONGEST_PREFIX) and bool(_PREFIX.fullmatch(value)),
        f"a key prefix of at most {_LONGEST_PREFIX} characters, without a slash first or last",
    ),
    "model_description": Rule(
        lambda value: _is_text(value, _LONGEST_DESCRIPTION), f"a text of 1 to {_LONGEST_DESCRIPTION} characters"
    ),
    "region": Rule(
        lambda value: value is None or (isinstance(value, str) and bool(_REGION.fullmatch(value))),
        "null or a region such as eu-west-1",
    ),
    "input_data": Rule(
        lambda value: value is None or _is_text(value, _LONGEST_DESCRIPTION), "null, an S3 URI or a folder"
    ),
    "processing_instance_type": _INSTANCES,
    "training_instance_type": _INSTANCES,
    "hosting_instance_type": _INSTANCES,
    "subnets": _ids(_SUBNET, _MOST_SUBNETS, "subnet-0123456789abcdef0"),
    "security_groups": _ids(_SECURITY_GROUP, _MOST_SECURITY_GROUPS, "sg-0123456789abcdef0"),
    "roc_auc_threshold": Rule(
        lambda value: type(value) in {int, float} and 0 <= value < 1, "a number from 0 to below 1"
    ),
    "max_tuning_jobs": _COUNT,
    "max_parallel_tuning_jobs": _COUNT,
}


def read_settings(path: Path) -> Settings:
    """Return the settings of a file; SettingsError in one line names the key and what is allowed."""
    return parse_settings(read_values(path), path)


def read_values(path: Path) -> dict[str, Any]:
    """Return all that stands in a settings file, unknown keys too, unchecked."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; take the file from the repository again") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is no JSON: {error}; correct it, or take it from the repository again") from error
    if not isinstance(values, dict):
        raise SettingsError(f'{path} has no JSON object: expected one such as {{"pipeline_name": "claims", ...}}')
    return values


def parse_settings(values: Mapping[str, Any], path: Path) -> Settings:
    """Return the settings among the values of a file; keys that are unknown belong to somebody else."""
    for key, rule in RULES.items():
        if key not in values:
            raise SettingsError(f"{path}: '{key}' is missing; allowed: {rule.words}")
        if not rule.allows(values[key]):
            raise SettingsError(f"{path}: '{key}' is {json.dumps(values[key])}; allowed: {rule.words}")
    if values["max_parallel_tuning_jobs"] > values["max_tuning_jobs"]:
        raise SettingsError(
            f"{path}: 'max_parallel_tuning_jobs' is {values['max_parallel_tuning_jobs']}; "
            f"allowed: at most 'max_tuning_jobs', which is {values['max_tuning_jobs']}"
        )
    if bool(values["subnets"]) != bool(values["security_groups"]):
        empty, given = sorted(("subnets", "security_groups"), key=lambda key: bool(values[key]))
        raise SettingsError(f"{path}: '{empty}' is [] and '{given}' is not; allowed: both, for a VPC, or none")
    return Settings(**{key: values[key] for key in RULES})
