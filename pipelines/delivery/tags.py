"""The tags of a pipeline: those that were asked for, and what its project and its commit are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import TagTypeDef

COMMIT_TAG = "commit"
# As the builds of a SageMaker Project are told; resources with these tags are listed in the project.
_PROJECT = {"sagemaker:project-name": "SAGEMAKER_PROJECT_NAME", "sagemaker:project-id": "SAGEMAKER_PROJECT_ID"}


def complete_tags(
    given: tuple[TagTypeDef, ...], commit: str | None = None, environment: Mapping[str, str] = os.environ
) -> tuple[TagTypeDef, ...]:
    """Return the tags that were given and those of project and commit that were not."""
    known = {tag: environment.get(name) for tag, name in _PROJECT.items()} | {COMMIT_TAG: commit}
    keys = {tag["Key"] for tag in given}
    added: list[TagTypeDef] = [{"Key": tag, "Value": text} for tag, text in known.items() if text and tag not in keys]
    return (*given, *added)
