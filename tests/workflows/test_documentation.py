"""What docs/github.md and docs/codebuild.md tell an adopter to set is what the workflows ask for."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session
from botocore.validate import ParamValidator

from tests.docs.pages import PAGES, blocks, quoted, rows, section
from tests.iam.calls import ACCOUNT
from tests.iam.evaluator import Request, actions, allows, trusts
from tests.workflows.files import BUILDSPEC, BUILDSPECS, DEPLOY_BUILDSPEC, REPOSITORY, WORKFLOWS, read
from tests.workflows.github import PROVIDER, GitHub
from tests.workflows.policies import APPROVAL, GITHUB, GROUP, PRODUCTION, STAGING, documents, permissions, trust

# Only makes a message longer.
REFUSED_WITHOUT_HARM = "sagemaker:ListModelPackageGroups"
ARN = "arn:aws:sqs:us-east-1:000000000000:queue"
PACKAGE = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package/{GROUP}/7"


def test_every_variable_of_the_workflows_is_documented_and_no_other() -> None:
    used = {name for file in WORKFLOWS for name in re.findall(r"\bvars\.(\w+)", file.read_text())}
    table = rows(section("docs/github.md", "Set-up").partition("### ")[0])
    assert {name for row in table for name in quoted(row[0])} == used


def test_every_workflow_is_documented() -> None:
    listed = {row[0].strip("`").rpartition("/")[2] for row in rows(PAGES["docs/github.md"].partition("## ")[0])}
    assert listed == {file.name for file in WORKFLOWS}


@pytest.mark.skipif(not BUILDSPECS, reason="CodeBuild's files were removed")
@pytest.mark.parametrize(("file", "title"), [(BUILDSPEC, "The pipeline"), (DEPLOY_BUILDSPEC, "Deploying")])
def test_every_variable_of_a_buildspec_is_documented(file: Path, title: str) -> None:
    used = set(re.findall(r"\$\{?([A-Z]\w+)", file.read_text())) | {"AWS_REGION"}
    documented = {name for row in rows(section("docs/codebuild.md", title)) for name in quoted(row[0])}
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
    (policy,) = documents("Trust policy", OWNER="OWNER", REPO="REPO")
    assert is_taken_on(policy, sub=subject) == is_trusted


@pytest.mark.parametrize(
    ("subject", "ref", "is_trusted"),
    [
        ("repo:OWNER/REPO:environment:production", "refs/heads/main", True),
        ("repo:OWNER@OWNER_ID/REPO@REPO_ID:environment:production", "refs/heads/main", True),
        ("repo:OWNER/REPO:environment:production", "refs/heads/other", False),
        ("repo:OWNER/REPO:environment:staging", "refs/heads/main", False),
        ("repo:OWNER/REPO:ref:refs/heads/main", "refs/heads/main", False),
        ("repo:OWNER/OTHER:environment:production", "refs/heads/main", False),
    ],
)
def test_a_stage_trusts_its_environment_on_the_main_branch_only(subject: str, ref: str, is_trusted: bool) -> None:
    (policy,) = documents("Trust of a stage", OWNER="OWNER", REPO="REPO", STAGE="production")
    assert is_taken_on(policy, sub=subject, ref=ref) == is_trusted


def is_taken_on(policy: Any, **claims: str) -> bool:
    context = {f"token.actions.githubusercontent.com:{name}": value for name, value in claims.items()}
    context["token.actions.githubusercontent.com:aud"] = "sts.amazonaws.com"
    return trusts(policy, PROVIDER, Request("sts:AssumeRoleWithWebIdentity", "role", context))


def test_no_role_of_one_stage_is_taken_on_by_another(github: GitHub) -> None:
    environments = {STAGING: "staging", PRODUCTION: "production", APPROVAL: "approval", GITHUB: None}
    for role, policy in trust().items():
        for other, environment in environments.items():
            claims = github.claims("refs/heads/main", environment)
            asked = Request("sts:AssumeRoleWithWebIdentity", role, claims)
            assert trusts(policy, PROVIDER, asked) == (role == other)


@pytest.mark.parametrize(
    ("role", "approval", "cycle", "is_allowed"),
    [
        (GITHUB, "Rejected", None, True),
        (GITHUB, "Approved", None, False),
        (APPROVAL, "Approved", None, True),
        (APPROVAL, "Rejected", None, True),
        (APPROVAL, None, "production Approved", True),
        (APPROVAL, None, "production Deployed", False),
        (APPROVAL, "Approved", "production Deployed", False),
        (STAGING, None, "staging Deployed", True),
        (STAGING, None, "staging RolledBack", True),
        (STAGING, None, "staging Approved", False),
        (STAGING, None, "production Deployed", False),
        (STAGING, "Approved", None, False),
        (PRODUCTION, None, "production Deployed", True),
        (PRODUCTION, None, "production Approved", False),
        (PRODUCTION, "Approved", "production Deployed", False),
    ],
)
def test_nobody_says_of_a_model_what_is_for_others_to_say(
    role: str, approval: str | None, cycle: str | None, is_allowed: bool
) -> None:
    context = {"sagemaker:ModelApprovalStatus": approval} if approval else {}
    if cycle:
        context["sagemaker:ModelLifeCycle:Stage"], context["sagemaker:ModelLifeCycle:StageStatus"] = cycle.split()
    asked = Request("sagemaker:UpdateModelPackage", PACKAGE, context)
    assert allows(permissions()[role], asked) == is_allowed


def test_the_permissions_are_the_operations_that_the_commands_call() -> None:
    source = "".join(file.read_text() for file in (REPOSITORY / "pipelines" / "delivery").rglob("*.py"))
    services = (Session().get_service_model(name) for name in ("sagemaker", "sagemaker-runtime"))
    call = r'(?:client|sagemaker|runtime)(?:\("sagemaker"\))?\.{0}\b|"{0}"'
    names = {name for service in services for name in service.operation_names}
    called = {f"sagemaker:{name}" for name in names if re.search(call.format(xform_name(name)), source)}
    allowed = {action for policy in permissions().values() for action in actions(policy)}
    by_hand = {action for action in quoted(section("docs/github.md", "Permissions of a stage")) if ":" in action}
    assert called - {REFUSED_WITHOUT_HARM} == {name for name in allowed | by_hand if name.startswith("sagemaker:")}


def test_the_commands_that_start_workflows_fill_in_their_forms() -> None:
    lines = [line for block in blocks(PAGES["docs/github.md"], "sh") for line in block.splitlines()]
    started = [shlex.split(line)[3:] for line in lines if line.startswith("gh workflow run ")]
    forms = {file.name: read(file)[True].get("workflow_dispatch") for file in WORKFLOWS}
    assert {name for name, *_ in started} == {name for name, form in forms.items() if form}
    for name, *options in started:
        assert set(options[::2]) == {"--field"}
        for field, _, value in (option.partition("=") for option in options[1::2]):
            assert value in forms[name]["inputs"][field].get("options", [value])


@pytest.mark.parametrize(
    ("page", "title"),
    [("docs/github.md", "From the approval to the workflow"), ("docs/codebuild.md", "From the approval to the builds")],
)
def test_the_targets_have_the_form_that_eventbridge_takes(page: str, title: str) -> None:
    shape = Session().get_service_model("events").operation_model("PutTargets").input_shape
    targets = documents(title, page=page)[-1]
    filled = [{**target, "Arn": ARN, "RoleArn": ARN, "DeadLetterConfig": {"Arn": ARN}} for target in targets]
    assert targets
    assert shape is not None
    assert not ParamValidator().validate({"Rule": "approved", "Targets": filled}, shape).has_errors()


def test_the_commands_for_eventbridge_are_commands_of_the_aws_cli() -> None:
    (block,) = blocks(section("docs/github.md", "From the approval to the workflow"), "sh")
    model = Session().get_service_model("events")
    for line in block.splitlines():
        program, service, command, *rest = shlex.split(line)
        assert (program, service) == ("aws", "events")
        (operation,) = (name for name in model.operation_names if xform_name(name, "-") == command)
        shape = model.operation_model(operation).input_shape
        assert shape is not None
        options = {xform_name(member, "-") for member in shape.members}
        assert {option.removeprefix("--") for option in rest[::2]} <= options
