"""project-template as a person types it, in an account of moto's."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery.interrupt import INTERRUPTED
from pipelines.project_template import NOTHING_DONE, main
from tests.adoption.aws import BUCKET, CONNECTION, LAUNCH_ROLE, NUMBER, PROVIDER, REGION, ROLE, STACK, MotoAws, moto_aws
from tests.adoption.cli import carry_out
from tests.adoption.init.copies import FRESH
from tests.commands.test_bad_usage import call
from tests.delivery.deployment.service import Refusal


@dataclass(frozen=True)
class Done:
    code: int
    lines: list[str]
    error: str


class Command:
    """`project-template`, the account that it works in, and the settings of a fresh copy."""

    def __init__(self, aws: MotoAws, capsys: pytest.CaptureFixture[str], settings: Path) -> None:
        self.aws = aws
        self.settings = settings
        self._capsys = capsys

    def call(self, *arguments: str) -> Done:
        self.aws.calls.clear()
        code = main(arguments)
        said = self._capsys.readouterr()
        return Done(code, said.out.splitlines(), said.err)

    def examine(self, *arguments: str) -> Done:
        """Call the doctor, who has nothing to say against these settings."""
        return self.call("doctor", "--settings", str(self.settings), *arguments)

    def refuse(self, *arguments: str) -> tuple[int, str]:
        """Call what must fail with one line and change nothing."""
        done = self.call(*arguments)
        (line,) = done.error.splitlines()
        assert self.aws.changing() == []
        return done.code, line.removeprefix("project-template: error: ")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Command]:
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(FRESH))
    with moto_aws(monkeypatch) as aws:
        aws.add_domain()
        yield Command(aws, capsys, settings)


def test_without_yes_what_would_change_is_said_and_nothing_is_done(command: Command) -> None:
    done = command.call("install")
    assert (done.code, done.error) == (0, "")
    assert done.lines[0] == f"account {NUMBER}, {REGION}, domain d-studio, as arn:aws:sts::{NUMBER}:user/moto"
    assert done.lines[1:] == [
        f"to do: make the stack {STACK}: template bucket, launch role, a policy for studio and GitHub's identity "
        "provider",
        "to do: upload template.yml to s3://BUCKET/templates/commit-to-endpoint.yml",
        "to do: let the domain d-studio show the templates of s3://BUCKET/templates/",
        NOTHING_DONE,
    ]
    assert command.aws.changing() == []


def test_what_is_done_is_said_and_then_how_a_project_is_made(command: Command) -> None:
    done = command.call("install", "--yes")
    assert (done.code, done.error) == (0, "")
    assert command.aws.changing() == ["CreateStack", "PutObject", "AddTags"]
    assert [line.partition(":")[0] for line in done.lines[1:7]] == ["to do"] * 3 + ["done"] * 3
    assert done.lines[5] == f"done: upload template.yml to s3://{BUCKET}/templates/commit-to-endpoint.yml"
    assert (
        requests_of(command.aws, done.lines)
        == [
            {
                "ProjectName": "my-project",
                "TemplateProviders": [
                    {
                        "CfnTemplateProvider": {
                            "TemplateName": "commit-to-endpoint",
                            "TemplateURL": f"https://{BUCKET}.s3.{REGION}.amazonaws.com/templates/commit-to-endpoint.yml",
                            "RoleARN": LAUNCH_ROLE,
                            "Parameters": [
                                {"Key": "RepositoryOwner", "Value": "OWNER"},
                                {"Key": "RepositoryName", "Value": "REPOSITORY"},
                                {"Key": "RepositoryOwnerId", "Value": "OWNER_ID"},
                                {"Key": "RepositoryId", "Value": "REPO_ID"},
                                {"Key": "GitHubOidcProviderArn", "Value": PROVIDER},
                                {
                                    "Key": "PermissionsBoundaryArn",
                                    "Value": f"arn:aws:iam::{NUMBER}:policy/sagemaker-project-boundary-{REGION}",
                                },
                            ],
                        }
                    }
                ],
            }
        ]
        * 2
    )


def requests_of(aws: MotoAws, lines: list[str]) -> list[dict[str, Any]]:
    """The requests of the command, which the AWS CLI sends, and of the program that were printed."""
    (typed,) = (line for line in lines if line.startswith("aws "))
    aws.answers["CreateProject"] = lambda _: {
        "ProjectArn": f"arn:aws:sagemaker:{REGION}:{NUMBER}:project/p",
        "ProjectId": "p",
    }
    carry_out(typed)
    (command,) = aws.sent("CreateProject")
    (program,) = ast.parse("\n".join(lines[lines.index("import boto3") + 1 :])).body
    assert isinstance(program, ast.Expr)
    assert isinstance(program.value, ast.Call)
    written = {str(each.arg): ast.literal_eval(each.value) for each in program.value.keywords}
    return [command, written]


def test_the_second_time_there_is_nothing_to_change(command: Command) -> None:
    first = command.call("install", "--yes")
    again = command.call("install", "--yes")
    assert (again.code, again.lines[1]) == (0, "nothing to change")
    assert again.lines[2:] == first.lines[7:]
    assert command.aws.changing() == []


def test_a_product_of_service_catalog_is_installed_beside_the_domain(command: Command) -> None:
    done = command.call("install", "--service-catalog", "--yes")
    assert (done.code, done.error) == (0, "")
    assert command.aws.changing() == ["CreateStack", "PutObject", "UpdateStack"]
    (version,) = command.aws.versions
    (request, _) = requests_of(command.aws, done.lines)
    details = request["ServiceCatalogProvisioningDetails"]
    assert (details["ProductId"], details["ProvisioningArtifactId"]) == ("prod-example", f"pa-{version}")
    assert command.call("install", "--service-catalog", "--yes").lines[1] == "nothing to change"


def test_the_doctor_finds_a_whole_installation_well(command: Command) -> None:
    command.call("install", "--yes")
    command.aws.finish()
    command.aws.connections[CONNECTION] = "AVAILABLE"
    done = command.examine("--provider", "codebuild")
    assert (done.code, done.error, command.aws.changing()) == (0, "", [])
    assert {line.partition(": ")[0] for line in done.lines[:-1]} == {"OK"}
    assert done.lines[-1] == f"{len(done.lines) - 1} OK, 0 problems, 0 not checked"


def test_the_doctor_finds_what_is_missing_before_the_installation(command: Command) -> None:
    done = command.call("doctor")
    assert (done.code, done.error, command.aws.changing()) == (1, "", [])
    assert f"PROBLEM: stack: {REGION} has no stack {STACK}" in done.lines
    assert done.lines[done.lines.index(f"PROBLEM: stack: {REGION} has no stack {STACK}") + 1] == (
        "  fix: project-template install --yes"
    )
    assert f"could not check: launch role: the stack {STACK} is not installed" in done.lines


def test_what_the_doctor_is_not_asked_is_counted_and_is_no_failure(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    command.call("install", "--yes")
    command.aws.finish()
    done = command.examine("--repository", "org/fraud")
    assert [line for line in done.lines if not line.startswith(("OK: ", "  "))] == [
        "did not check: environments: GITHUB_TOKEN is not set",
        f"{len(done.lines) - 3} OK, 0 problems, 1 not checked",
    ]
    assert (done.code, done.error) == (0, "")


def test_what_the_doctor_could_not_check_is_a_failure(command: Command) -> None:
    command.call("install", "--yes")
    command.aws.finish()
    command.aws.deny("ListServiceQuotas")
    done = command.examine()
    assert done.code == 1
    assert done.lines[-1].endswith(" OK, 0 problems, 2 not checked")


def test_what_was_installed_is_taken_away(command: Command) -> None:
    command.call("install", "--yes")
    planned = command.call("uninstall")
    assert (planned.code, planned.lines[-1], command.aws.changing()) == (0, NOTHING_DONE, [])
    done = command.call("uninstall", "--yes")
    assert (done.code, done.error) == (0, "")
    assert command.aws.changing() == ["DeleteTags", "DeleteObjects", "DeleteStack"]
    assert command.call("uninstall", "--yes").lines[1:] == [f"there is no stack {STACK}: nothing to delete"]
    assert command.aws.changing() == []


def test_without_a_domain_the_role_that_makes_projects_is_asked_for(command: Command) -> None:
    command.aws.client("sagemaker").delete_domain(DomainId="d-studio")
    code, line = command.refuse("install", "--yes")
    assert code == 2
    assert line.startswith(f"{REGION} has no Studio domain with an execution role: give the role that")
    done = command.call("install", "--yes", "--execution-role", ROLE)
    assert (done.code, command.aws.changing()) == (0, ["CreateStack", "PutObject"])
    assert ", no Studio domain, " in done.lines[0]


def test_of_several_domains_one_is_chosen(command: Command) -> None:
    other = ROLE.replace("studio", "other")
    command.aws.add_domain("other", other)
    assert command.refuse("install", "--yes") == (
        2,
        f"{REGION} has the domains d-studio, d-other: choose one by --domain-id",
    )
    done = command.call("install", "--domain-id", "d-other")
    assert "domain d-other" in done.lines[0]
    assert "a policy for other" in done.lines[1]


def test_a_domain_of_another_region_is_not_found(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    code, line = command.refuse("install", "--domain-id", "d-studio", "--yes")
    assert code == 2
    assert line == "no domain d-studio in us-east-1: there is none; AWS_DEFAULT_REGION chooses the region"


def test_what_aws_denies_is_said_in_one_line_and_nothing_is_changed(command: Command) -> None:
    command.aws.deny("DescribeStacks")
    code, line = command.refuse("install", "--yes")
    assert code == 1
    assert re.fullmatch(r"AccessDenied in DescribeStacks: .* Next: allow this role the operation in IAM", line)


def test_what_failed_on_the_way_is_taken_up_by_the_same_command(command: Command) -> None:
    command.aws.answers["PutObject"] = Refusal("AccessDenied", "no", status=403)
    done = command.call("install", "--yes")
    assert done.code == 1
    assert done.lines[-1].startswith("done: make the stack")
    assert done.error.startswith("project-template: error: AccessDenied in PutObject")
    del command.aws.answers["PutObject"]
    assert command.call("install", "--yes").code == 0
    assert command.aws.changing() == ["PutObject", "AddTags"]


@pytest.mark.parametrize("work", ["install", "doctor", "uninstall"])
def test_without_credentials_nothing_is_done(work: str, tmp_path: Path) -> None:
    done = call(tmp_path, "pipelines.project_template", work, AWS_DEFAULT_REGION=REGION)
    assert done.returncode == 1
    said = done.stdout if work == "doctor" else done.stderr
    assert "NoCredentialsError: Unable to locate credentials" in said
    assert "log in again" in said
    assert "--local" not in said


def test_without_a_region_nothing_is_done(tmp_path: Path, sample_code: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    done = call(tmp_path, "pipelines.project_template", "install", PYTHONPATH=str(sample_code), **keys)
    assert done.returncode == 2
    assert "set AWS_DEFAULT_REGION" in done.stderr


def test_the_region_of_the_settings_counts_where_nothing_else_names_one(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    command.settings.write_text(json.dumps(FRESH | {"region": REGION}))
    done = command.examine()
    assert done.lines[0] == f"OK: credentials: arn:aws:sts::{NUMBER}:user/moto in {REGION}"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("install", "--execution-role", "studio"), "'studio' is no role's ARN: expected arn:aws:iam::<account>"),
        (("install", "--stack-name", "my_stack"), "'my_stack' is no name of a stack"),
        (("install", "--template", "no.yml"), "--template: no.yml does not exist"),
        (("install", "--yes", "now"), "unrecognized arguments: now"),
        (
            ("doctor", "--settings", "/nope"),
            "--settings /nope: there is no such file: give the settings.json of a pipe",
        ),
        (("doctor", "--provider", "jenkins"), "invalid choice: 'jenkins'"),
        (("doctor", "--repository", "fraud"), "'fraud' is no repository: expected OWNER/NAME"),
        (("doctor", "--domain-id", ""), "the value is empty"),
        (
            (
                "doctor",
                "--yes",
            ),
            "unrecognized arguments: --yes",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: tuple[str, ...], says: str, command: Command) -> None:
    code, line = command.refuse(*arguments)
    assert (code, says in line) == (2, True), line


def test_an_interrupt_leaves_the_stack_to_cloudformation(command: Command) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    command.aws.answers["CreateStack"] = interrupt
    done = command.call("install", "--yes")
    assert (done.code, done.error) == (INTERRUPTED, "project-template: error: interrupted\n")
