"""What docs/github.md and docs/codebuild.md tell an adopter to set is what the workflows ask for."""

import json
import re
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session

from tests.docs.pages import PAGES, blocks, quoted, rows, section
from tests.workflows.files import BUILDSPEC, REPOSITORY, WORKFLOWS

SUBJECT = "token.actions.githubusercontent.com:sub"


def policy(title: str) -> dict[str, Any]:
    (found,) = blocks(section("docs/github.md", title), "json")
    document: dict[str, Any] = json.loads(found)
    return document


def test_every_variable_of_the_workflows_is_documented_and_no_other() -> None:
    used = {name for file in WORKFLOWS for name in re.findall(r"\bvars\.(\w+)", file.read_text())}
    table = rows(section("docs/github.md", "Set-up").partition("### ")[0])
    assert {row[0].strip("`") for row in table} == used


def test_every_workflow_is_documented() -> None:
    listed = {row[0].strip("`").rpartition("/")[2] for row in rows(PAGES["docs/github.md"].partition("## ")[0])}
    assert listed == {file.name for file in WORKFLOWS}


def test_every_variable_of_the_buildspec_is_documented() -> None:
    text = BUILDSPEC.read_text()
    used = set(re.findall(r"\$\{?([A-Z]\w+)", text))
    documented = {name for row in rows(PAGES["docs/codebuild.md"]) for name in quoted(row[0])}
    assert documented == used


@pytest.mark.parametrize(
    ("subject", "is_trusted"),
    [
        ("repo:OWNER/REPO:ref:refs/heads/main", True),
        ("repo:OWNER@OWNER_ID/REPO@REPO_ID:ref:refs/heads/main", True),
        ("repo:OWNER/REPO:pull_request", False),
        ("repo:OWNER/REPO:ref:refs/heads/main-2", False),
        ("repo:OWNER@OWNER_ID/REPO@REPO_ID:pull_request", False),
        ("repo:OWNER/REPO-2:ref:refs/heads/main", False),
    ],
)
def test_the_trust_policy_takes_the_main_branch_in_both_forms_only(subject: str, is_trusted: bool) -> None:
    (statement,) = policy("Trust policy")["Statement"]
    assert statement["Condition"].keys() == {"StringEquals"}
    assert (subject in statement["Condition"]["StringEquals"][SUBJECT]) == is_trusted


def test_the_permissions_are_the_operations_that_the_commands_call() -> None:
    source = "".join(file.read_text() for file in (REPOSITORY / "pipelines" / "delivery").rglob("*.py"))
    names = Session().get_service_model("sagemaker").operation_names
    call = r'client(?:\("sagemaker"\))?\.{0}\(|get_paginator\(\s*"{0}"'
    called = {name for name in names if re.search(call.format(xform_name(name)), source)}
    assert {f"sagemaker:{name}" for name in called} == set(policy("Permissions")["Statement"][0]["Action"])
