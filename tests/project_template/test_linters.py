"""What linters and CloudFormation's limits say of the templates: nothing, or a reason stands beside it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.project_template.stack import INSTALL, TEMPLATE, Stack, load

TEMPLATES = [TEMPLATE, INSTALL]
CFN_LINT = Path(sys.executable).parent / "cfn-lint"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html and IAM's, in characters.
TEMPLATE_BYTES, RESOURCES, PARAMETERS, DESCRIPTION = 1_000_000, 500, 200, 1024
INLINE_POLICIES, MANAGED_POLICY, TRUST = 10_240, 6_144, 2_048
EVENT_PATTERN = 4_096


def lint(*files: Path) -> Any:
    """Return what cfn-lint finds."""
    done = subprocess.run([CFN_LINT, "--format", "json", *files], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def size(document: Mapping[str, Any]) -> int:
    """Return the size as IAM counts it, without white space."""
    return len(json.dumps(document, separators=(",", ":")))


def test_cfn_lint_finds_nothing() -> None:
    assert lint(*TEMPLATES) == []


def test_cfn_lint_would_find_something(tmp_path: Path) -> None:
    broken = tmp_path / "template.yml"
    broken.write_text(TEMPLATE.read_text().replace("VersioningConfiguration: {Status: Enabled}", "Versioned: true"))
    assert {finding["Rule"]["Id"] for finding in lint(broken)} == {"E3002"}


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_each_exception_for_checkov_has_a_reason(file: Path) -> None:
    skipped = [skip for each in load(file)["Resources"].values() for skip in _skipped(each)]
    assert skipped
    assert all(re.fullmatch(r"CKV_AWS_\d+", skip["id"]) and len(skip["comment"]) > 40 for skip in skipped)


def _skipped(resource: Mapping[str, Any]) -> list[dict[str, str]]:
    skips: list[dict[str, str]] = resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    return skips


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_a_template_is_within_the_limits_of_cloudformation(file: Path) -> None:
    document = load(file)
    assert file.stat().st_size < TEMPLATE_BYTES
    assert len(document["Resources"]) < RESOURCES
    assert len(document["Parameters"]) < PARAMETERS
    assert len(document["Description"]) <= DESCRIPTION


def test_the_policies_of_a_role_are_within_the_limits_of_iam(stack: Stack, installed: Stack) -> None:
    for each, role in _roles(stack, installed):
        assert size(each.policy(role)) < INLINE_POLICIES, role
        assert size(each.trust(role)) < TRUST, role


def test_managed_policies_are_within_the_limits_of_iam(installed: Stack) -> None:
    for policy in installed.of_type("AWS::IAM::ManagedPolicy").values():
        assert size(policy["PolicyDocument"]) < MANAGED_POLICY


def test_event_patterns_are_within_the_limits_of_eventbridge(full_stack: Stack) -> None:
    for rule in full_stack.of_type("AWS::Events::Rule").values():
        assert size(rule.get("EventPattern", {})) < EVENT_PATTERN


def _roles(*stacks: Stack) -> Iterator[tuple[Stack, str]]:
    for stack in stacks:
        for role in stack.of_type("AWS::IAM::Role"):
            yield stack, role
