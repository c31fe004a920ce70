"""What docs/operate.md tells to type can be typed, and does what it is said to."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.session import Session

from pipelines import approve_model, deploy_flags, init_project, project_template, run_flags, teardown_project
from pipelines.adoption.teardown.names import Names
from pipelines.fraud import settings
from tests.adoption.aws import moto_aws
from tests.adoption.teardown import projects
from tests.docs.pages import PAGES, REPOSITORY, blocks, quoted, rows, section
from tests.docs.test_adopt import parameters_of
from tests.docs.test_commands import Shell
from tests.iam.evaluator import actions
from tests.workflows.files import WORKFLOWS, read

PAGE = "docs/operate.md"
PARSERS = {
    "approve-model": approve_model.make_parser,
    "deploy-model": deploy_flags.make_parser,
    "init-project": init_project.make_parser,
    "project-template": project_template.make_parser,
    "run-pipeline": run_flags.make_parser,
    "teardown-project": teardown_project.make_parser,
}
# What the AWS CLI makes of several calls, and a program that is neither its nor ours.
CUSTOM = {("logs", "tail"), ("s3", "mb")}
OTHERS = {".", "cd", "export", "git", "make"}
# A variable that a shell is given, for a command or for itself; a command in it may have one in itself.
ASSIGNED = re.compile(r"^\w+=(\$\(([^()]|\([^()]*\))*\)|\S+)( |$)")
# Operations whose permissions have other names.
PERMISSIONS = {
    "s3:DeleteObjects": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    "s3:ListObjectVersions": {"s3:ListBucketVersions"},
    "tag:GetResources": {"tag:GetResources"},
    "sts:GetCallerIdentity": set(),
}
SERVICES = ("cloudformation", "cloudwatch", "events", "kms", "logs", "s3", "sagemaker", "scheduler", "sts")


def commands(page: str) -> list[str]:
    """Every line that a page tells to type; of tables, those that begin with one of our commands."""
    lines = [line for block in blocks(PAGES[page], "sh") for line in whole(block.replace("\\\n", " ").splitlines())]
    told = [text for text in quoted(PAGES[page]) if text.split()[0] in PARSERS and " " in text]
    return [*lines, *told]


def whole(lines: list[str]) -> Iterator[str]:
    """Yield lines, each with those that a quotation mark makes a part of it."""
    begun = ""
    for line in lines:
        begun = f"{begun}\n{line}".lstrip()
        if begun.count("'") % 2 == 0:
            yield begun
            begun = ""


def check(line: str) -> None:
    """Refuse a line that the program that it names would refuse."""
    line = ASSIGNED.sub("", line)
    if not line:
        return
    program, *words = shlex.split(line, comments=True)
    if program in PARSERS:
        PARSERS[program]().parse_args(words)
    elif program == "aws":
        check_aws(words)
    elif program == "gh":
        check_gh(words)
    else:
        assert program in OTHERS, line


def check_aws(words: list[str]) -> None:
    service, command, *rest = words
    if (service, command) in CUSTOM:
        return
    try:
        model = Session().get_service_model(service)
    except UnknownServiceError:
        pytest.fail(f"aws has no {service}")
    found = [name for name in model.operation_names if xform_name(name, "-") == command]
    if (service, command) == ("cloudformation", "deploy"):
        check_deploy(rest)
        return
    assert found, f"aws {service} has no {command}"
    shape = model.operation_model(found[0]).input_shape
    assert shape is not None
    known = {xform_name(member, "-") for member in shape.members}
    # What every command of the AWS CLI takes.
    given = {word.removeprefix("--") for word in rest if word.startswith("--")} - {"output", "query"}
    assert given <= known, f"aws {service} {command} does not take {given - known}"


def check_deploy(words: list[str]) -> None:
    """Refuse parameters that the template does not have, and the lack of those that have no default."""
    given = {word.partition("=")[0] for word in words[words.index("--parameter-overrides") + 1 :]}
    known = parameters_of(REPOSITORY / "project-template" / "template.yml")
    assert given <= known.keys()
    assert {name for name, has_default in known.items() if not has_default} <= given


def check_gh(words: list[str]) -> None:
    # A copy may have no workflows of GitHub's any more.
    if words[:2] != ["workflow", "run"] or not WORKFLOWS:
        return
    forms = {file.name: read(file)[True].get("workflow_dispatch") for file in WORKFLOWS}
    inputs = (forms[words[2]] or {}).get("inputs", {})
    assert {field.partition("=")[0] for field in words[4::2]} <= set(inputs)


@pytest.mark.parametrize("page", [PAGE, "docs/adopt.md"])
def test_every_command_is_one_that_its_program_takes(page: str) -> None:
    found = commands(page)
    assert found
    for line in found:
        check(line)


def test_the_commands_for_this_machine_do_what_is_said_of_them(tmp_path: Path, sample_code: Path) -> None:
    shell = Shell(tmp_path, sample_code)
    lines = [line for block in blocks(PAGES[PAGE], "sh") for line in block.splitlines() if "--local" in line]
    teardown = lines[-1]
    assert teardown == "teardown-project --yes --local"
    try:
        for line in lines:
            shell.type(line)
    finally:
        # What the commands leave running must not outlive a test that fails.
        shell.type(teardown)
    rollback = next(line for line in lines if "--rollback" in line)
    assert f"{settings.PIPELINE_NAME}/1 serves at endpoint" in shell.printed[rollback]
    assert "to remove\n" in shell.printed["teardown-project --local"]
    assert shell.printed[teardown].endswith("in .sagemaker-local: 0 to remove\n")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=kept, check=True, capture_output=True, text=True
    )
    return done.stdout


def commit(folder: Path, **files: str) -> None:
    """Write files, in a repository that is made if need be, and commit them."""
    folder.mkdir(exist_ok=True)
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "More")


def test_a_copy_without_the_templates_history_takes_its_new_version(tmp_path: Path) -> None:
    template, copy = tmp_path / "template", tmp_path / "copy"
    commit(template, code="one\n", settings="theirs\n")
    commit(template, code="one\ntwo\n")
    # As GitHub copies a template: the files of its last commit, in a first one.
    commit(copy, code="one\ntwo\n", settings="theirs\n")
    commit(copy, settings="ours\n")
    commit(template, code="one\ntwo\nthree\n")
    first, again = (text for text in blocks(section(PAGE, "Upgrading"), "sh") if "git fetch" in text)
    for name, value in (("user.name", "Somebody"), ("user.email", "somebody@example.com")):
        git(copy, "config", name, value)
    for text in (first, again):
        lines = [line for line in text.splitlines() if line.startswith(("git", "tree=", "start="))]
        assert len(lines) == len(text.splitlines()) - (2 if text == again else 0)
        script = "\n".join(lines).replace("https://github.com/SOURCE_OWNER/SOURCE_REPOSITORY.git", str(template))
        subprocess.run(["bash", "-euc", script], cwd=copy, check=True, capture_output=True)
        if text == first:
            assert git(copy, "diff", "HEAD~1", "--stat") == ""
    assert (copy / "code").read_text() == "one\ntwo\nthree\n"
    assert (copy / "settings").read_text() == "ours\n"


def test_the_limits_of_jobs_are_those_of_the_settings() -> None:
    hours = [f"{seconds // 3600} hours" for seconds in (settings.PROCESSING_SECONDS, settings.TRAINING_SECONDS)]
    assert f"{hours[0]} for processing, {hours[1]} for training" in section(PAGE, "A run hangs")


def test_the_prefixes_that_are_emptied_are_told() -> None:
    told = {text for row in rows(section(PAGE, "Costs and teardown")) for text in quoted(row[1])}
    assert set(Names("<pipeline>", "g", "<prefix>").prefixes(["<endpoint>"])[:2]) <= told
    assert "data-capture/<endpoint>/" in told


def test_the_permissions_are_what_a_teardown_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = blocks(section(PAGE, "Permissions of a teardown"), "json")
    reading, changing = ({*statement["Action"]} for statement in json.loads(text)["Statement"])
    with moto_aws(monkeypatch) as aws, projects.deletions_of_packages(monkeypatch):
        project = full_project(projects.Session(), aws)
        aws.calls.clear()
        project.inventory(project_id="p-1")
        looked = asked(aws.calls)
        aws.calls.clear()
        assert project.tear_down(project_id="p-1") == []
        done = asked(aws.calls)
    # An execution that runs is stopped, which moto cannot: tests of the teardown do it.
    stopping = {"sagemaker:DescribePipelineExecution", "sagemaker:StopPipelineExecution"}
    assert looked == reading - stopping
    assert done - looked == changing - stopping
    assert stopping <= actions(json.loads(text))


def full_project(session: projects.Session, aws: Any) -> projects.Project:
    """A project that has a bit of everything, what a stack has left behind too."""
    tags = ({"Key": "sagemaker:project-id", "Value": "p-1"}, projects.add_stack(session, "SP-fraud"))
    bucket = projects.add_versioned_bucket(session, "ml-project-p-1", tags)
    session.client("kms").create_key(Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags])
    project = projects.Project(aws, session, "fraud", bucket)
    project.make()
    session.client("cloudformation").delete_stack(StackName="SP-fraud")
    return project


def asked(calls: list[tuple[str, Any]]) -> set[str]:
    """The permissions that calls need."""
    models = {name: set(Session().get_service_model(name).operation_names) for name in SERVICES}
    models["tag"] = {"GetResources"}
    needed: set[str] = set()
    for operation in {name for name, _ in calls}:
        for service, names in models.items():
            if operation in names:
                needed |= PERMISSIONS.get(f"{service}:{operation}", {f"{service}:{operation}"})
    # These have an operation of the same name that a teardown has no use for.
    return needed - {
        "events:DeleteEndpoint",
        "events:DescribeEndpoint",
        "cloudwatch:ListTagsForResource",
        "scheduler:ListTagsForResource",
    }


def test_the_price_table_is_where_it_is_said_to_be() -> None:
    assert re.search(r"`pipelines/adoption/teardown/prices\.json`", PAGES[PAGE])
