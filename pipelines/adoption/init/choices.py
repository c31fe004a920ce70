"""What a team may choose: names that all of AWS takes, regions and instance types that SageMaker has."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import Any

import botocore.session

from pipelines.delivery.errors import UsageError
from pipelines.delivery.settings import RULES

# The SageMakerProjectName of a project, or that and its id with a hyphen between. Lower case, since ARNs of SageMaker
# are, and policies compare with case.
_NAME = re.compile(r"[a-z](-*[a-z0-9])*", re.ASCII)
# What an endpoint may be called; the longest name that is made of the project's is that of the one in production.
_LONGEST_ENDPOINT = 63
LONGEST_NAME = _LONGEST_ENDPOINT - len("-production")
_JOBS = ("ProcessingInstanceType", "TrainingInstanceType")
_KNOWN_BY_ALL = "ml.m5.xlarge"
_ENDPOINTS = ("ProductionVariantInstanceType",)


def check_name(name: str) -> str:
    """Return a project's name; UsageError unless all that is named after it can be."""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise UsageError(
            f"--name {name}: expected at most {LONGEST_NAME} lower-case letters, digits and hyphens, "
            "a letter first and no hyphen last, such as claims or claims-p-1a2b3c"
        )
    return name


def check_region(region: str) -> str:
    """Return a region; UsageError unless SageMaker is there."""
    session = _botocore()
    known = [
        each
        for partition in session.get_available_partitions()
        for each in session.get_available_regions("sagemaker", partition)
    ]
    if region not in known:
        near = [each for each in known if each.split("-")[0] == region.split("-", maxsplit=1)[0]]
        raise UsageError(f"--region {region}: SageMaker is in no such region; known are {', '.join(near or known)}")
    return region


def check_ids(text: str, flag: str) -> list[str]:
    """Return the ids of a setting's flag, which commas separate; UsageError unless they are such."""
    rule = RULES[flag.removeprefix("--").replace("-", "_")]
    ids = text.split(",")
    if not rule.allows(ids):
        raise UsageError(f"{flag} {text}: expected ids with commas between them; the settings take {rule.words}")
    return ids


def check_job_instances(given: str) -> str:
    """Return an instance type; UsageError unless jobs of all kinds can have it."""
    return _check_instances(given, "--instance-type", _JOBS)


def check_endpoint_instances(given: str) -> str:
    """Return an instance type; UsageError unless endpoints can have it."""
    return _check_instances(given, "--hosting-instance-type", _ENDPOINTS)


def _check_instances(given: str, flag: str, shapes: tuple[str, ...]) -> str:
    model = _botocore().get_service_model("sagemaker")
    known = set.intersection(*(set(model.shape_for(shape).enum) for shape in shapes))
    if given not in known:
        what = "endpoints" if shapes == _ENDPOINTS else "processing and training jobs"
        near = _family(given, known) or _family(_KNOWN_BY_ALL, known)
        raise UsageError(f"{flag} {given}: {what} have no such instances; there are {', '.join(near)} and others")
    return given


def _family(given: str, known: Collection[str]) -> list[str]:
    family = given.rpartition(".")[0]
    return sorted(each for each in known if each.rpartition(".")[0] == family)


@cache
def _botocore() -> Any:
    return botocore.session.get_session()
