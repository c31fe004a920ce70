"""teardown-project as a person types it: on the SageMaker of this machine, and in an account."""

import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.fraud import settings
from pipelines.local.database import STATE, Database
from pipelines.local.session import session
from pipelines.teardown_project import main
from tests.adoption.aws import moto_aws
from tests.adoption.teardown.projects import Project, Session, add_versioned_bucket, deletions_of_packages, there
from tests.delivery.registry import add
from tests.local.hosted import hosting, wait_until

ROOT = ".sagemaker-local"
NAME, PREFIX = settings.PIPELINE_NAME, settings.BASE_JOB_PREFIX
# What remains of what ran: jobs cannot be deleted, in AWS neither.
HISTORY = {"client-request", "processing-job", "training-job", "hyper-parameter-tuning-job"}


@dataclass(frozen=True)
class Done:
    code: int
    output: str
    error: str


class Command:
    """The command in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def call(self, *arguments: str) -> Done:
        code = main(arguments)
        said = self._capsys.readouterr()
        return Done(code, said.out, said.err)

    def documents(self) -> set[str]:
        """The kinds of all that the local SageMaker has written down."""
        database = Database(self.folder / ROOT / STATE)
        rows = database._connection.execute("SELECT DISTINCT kind FROM documents").fetchall()
        database.close()
        return {kind for (kind,) in rows} - HISTORY


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(tmp_path, capsys)


@pytest.fixture
def deployed(command: Command) -> Iterator[Command]:
    """A root where a version serves in staging, beside a neighbour's endpoint that is called by itself."""
    with hosting(command.folder / ROOT) as made:
        client: Any = made.sagemaker
        container = client.describe_model(ModelName="echo")["PrimaryContainer"]
        specification = {
            "Containers": [{name: container[name] for name in ("Image", "ModelDataUrl", "Environment")}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        arn = add(client, group=NAME, approval="Approved", InferenceSpecification=specification)
        tags = [{"Key": "deploy-model:endpoint", "Value": f"{NAME}-staging"}]
        role = "arn:aws:iam::000000000000:role/any"
        model, config = f"{NAME}-v1-0123abcd", f"{NAME}-staging-v1-0123abcd"
        client.create_model(ModelName=model, ExecutionRoleArn=role, Containers=[{"ModelPackageName": arn}], Tags=tags)
        made.add_config(config, {**_variant(), "ModelName": model}, Tags=tags)
        made.add_endpoint(f"{NAME}-staging", config, Tags=tags)
        made.add_config("other", {**_variant(), "ModelName": "echo"})
        made.add_endpoint("other", "other")
        s3 = made.session.client("s3")
        s3.create_bucket(Bucket="sagemaker-us-east-1-000000000000")
        s3.put_object(Bucket="sagemaker-us-east-1-000000000000", Key=f"{PREFIX}/runs/1/x", Body=b"x" * 2000)
        s3.put_object(Bucket="sagemaker-us-east-1-000000000000", Key=f"{PREFIX}-2/x", Body=b"x")
        yield command


def test_without_yes_it_lists_and_changes_nothing(deployed: Command) -> None:
    done = deployed.call("--local")
    head, _, columns, *rows, _, following = done.output.splitlines()
    assert (done.code, done.error) == (0, "")
    assert head == f"{NAME} in .sagemaker-local: 6 to remove"
    assert columns.split() == ["kind", "name", "state"]
    assert re.sub(" {2,}", " | ", "\n".join(rows)) == (
        f"endpoint | {NAME}-staging | InService, 1 x ml.m5.large\n"
        f"endpoint config | {NAME}-staging-v1-0123abcd\n"
        f"model | {NAME}-v1-0123abcd\n"
        f"model package | {NAME}/1 | Approved\n"
        f"model package group | {NAME}\n"
        f"objects | s3://sagemaker-us-east-1-000000000000/{PREFIX}/ | 1 object, 2.0 KB\n"
        "objects | s3://sagemaker-us-east-1-000000000000 | "
        f"other prefixes stay: {PREFIX}-2/; --name NAME looks below one"
    )
    assert re.fullmatch(r"next: .*teardown.project --yes --local  # removes all that does not stay", following)
    assert deployed.call("--local").output == done.output


def test_with_yes_all_is_removed_and_neighbours_go_on(deployed: Command) -> None:
    done = deployed.call("--local", "--yes")
    assert (done.code, done.error) == (0, "")
    assert done.output.count("deleted ") == 6
    with session(ROOT) as opened:
        client = opened.client("sagemaker")
        assert [each["EndpointName"] for each in client.list_endpoints()["Endpoints"]] == ["other"]
        assert client.describe_endpoint(EndpointName="other")["EndpointStatus"] == "InService"
        assert [each["ModelName"] for each in client.list_models()["Models"]] == ["echo"]
        bucket = opened.client("s3").list_objects_v2(Bucket="sagemaker-us-east-1-000000000000")
        assert [each["Key"] for each in bucket["Contents"]] == [f"{PREFIX}-2/x"]
    log = deployed.folder / ROOT / f"logs/aws/sagemaker/Endpoints/{NAME}-staging/endpoint.log"
    wait_until(lambda: log.read_text().endswith("endpoint: the process ends\n"), "the endpoint's process to end")
    again = deployed.call("--local", "--yes")
    assert (again.code, again.output.splitlines()[0]) == (0, f"{NAME} in .sagemaker-local: 0 to remove")
    assert f"other prefixes stay: {PREFIX}-2/;" in again.output


def test_a_root_with_the_project_alone_is_clean_afterwards(command: Command) -> None:
    with session(ROOT) as opened:
        client = opened.client("sagemaker")
        add(client, group=NAME)
        definition = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {}}]})
        client.create_pipeline(
            PipelineName=NAME,
            PipelineDefinition=definition,
            RoleArn="arn:aws:iam::000000000000:role/any",
            ClientRequestToken="0" * 32,
            Tags=[{"Key": "commit", "Value": "1"}],
        )
    assert {"model-package", "pipeline", "tags"} <= command.documents()
    assert command.call("--local", "--yes").code == 0
    assert command.documents() == set()
    assert (command.folder / ROOT / "s3").is_dir()


def test_names_can_be_given(command: Command) -> None:
    with session(ROOT) as opened:
        add(opened.client("sagemaker"), group="claims-p-1")
    done = command.call("--local", "--name", "claims-p-1")
    assert done.output.startswith("claims-p-1 in .sagemaker-local: 2 to remove\n")
    assert done.output.splitlines()[-1].endswith("--yes --local --name claims-p-1  # removes all that does not stay")


def test_data_below_a_prefix_of_before_are_told_and_found_by_the_name_of_before(command: Command) -> None:
    bucket = "sagemaker-us-east-1-000000000000"
    with session(ROOT) as opened:
        s3 = opened.client("s3")
        s3.create_bucket(Bucket=bucket)
        for key in ("old/runs/1/x", "old-2/runs/1/x", f"pipelines/{NAME}/x"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    done = command.call("--local", "--yes")
    assert "  other prefixes stay: old-2/, old/; --name NAME looks below one\n" in done.output
    assert command.call("--local", "--yes", "--name", "old").code == 0
    with session(ROOT) as opened:
        listed = opened.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [each["Key"] for each in listed] == ["old-2/runs/1/x"]


def test_where_nothing_has_run_there_is_nothing_to_remove(command: Command) -> None:
    done = command.call("--local", "--yes")
    said = f"{NAME}: nothing to remove, for there is no .sagemaker-local in this folder\n"
    assert (done.code, done.output, done.error) == (0, said, "")
    assert list(command.folder.iterdir()) == []


def test_a_bucket_that_this_machine_does_not_have_is_refused_and_nothing_is_removed(deployed: Command) -> None:
    done = deployed.call("--local", "--yes", "--bucket", "typo")
    assert (done.code, done.output) == (2, "")
    assert done.error == (
        "teardown-project: error: --bucket typo: there is no such bucket in .sagemaker-local: correct it, or leave it "
        "out to look into sagemaker-us-east-1-000000000000\n"
    )
    assert deployed.call("--local").output.startswith(f"{NAME} in .sagemaker-local: 6 to remove\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--stop",), "--stop stops what runs: add --yes"),
        (("--local", "--name", "a", "-n", "b.c"), "--name names everything itself: leave out --module-name"),
        (("--local", "--project-id", "p-1"), "--project-id is for AWS: leave it out with --local"),
        (("--local", "--local-root", "x"), "x does not exist: give another --local-root"),
        (("--local-root", "x"), "--local-root is for --local: give both or none"),
        (("--name", "a/b"), "'a/b' is no name: expected at most 63 letters, digits and hyphens"),
        (("--project-id", "a b"), "'a b' is no project's id: expected at most 20 letters, digits and hyphens"),
        (("--bucket", "s3://b"), "'s3://b' is no bucket: expected its name, without s3://"),
        (("--local", "-n", "nothing.here"), "the name of nothing.here is not known: give --name NAME, or set"),
    ],
)
def test_wrong_usage_is_told_in_a_line_and_makes_nothing(
    command: Command, arguments: tuple[str, ...], message: str
) -> None:
    if "-n" in arguments and "nothing.here" in arguments:
        (command.folder / ROOT).mkdir()
    before = list(command.folder.rglob("*"))
    done = command.call(*arguments)
    assert (done.code, done.output) == (2, "")
    assert message in done.error
    assert len(done.error.splitlines()) == 1
    assert list(command.folder.rglob("*")) == before


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    with moto_aws(monkeypatch) as aws, deletions_of_packages(monkeypatch):
        opened = Session()
        add_versioned_bucket(opened)
        made = Project(aws, opened, NAME)
        made.make()
        yield made


def test_in_an_account_costs_are_told(project: Project, command: Command) -> None:
    before = there(project)
    done = command.call("--name", NAME)
    assert (done.code, done.error) == (0, "")
    assert done.output.startswith(f"{NAME} in account 123456789012, eu-west-1: ")
    assert re.search(rf"endpoint +{NAME}-production +InService, 2 x ml.m5.large +167.90\n", done.output)
    assert re.search(rf"alarm +{NAME}-production-errors +\w+ +0.10\n", done.output)
    assert re.search(r"\ntogether 251.95 USD a month, at the prices of us-east-1 of \d{4}-\d\d-\d\d\n", done.output)
    assert there(project) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--bucket", "typo"),
            "--bucket typo: there is no such bucket in account 123456789012, eu-west-1: correct it, ",
        ),
        (
            ("--project-id", "p-typo"),
            f"--project-id p-typo: nothing in account 123456789012, eu-west-1 is tagged as a project {NAME} with this "
            "id: correct it, or give the project's name and id by --name NAME-p-typo",
        ),
    ],
)
def test_a_bucket_or_a_project_that_nobody_knows_is_refused_and_nothing_is_removed(
    project: Project, command: Command, arguments: tuple[str, ...], message: str
) -> None:
    before = there(project)
    done = command.call("--name", NAME, "--yes", *arguments)
    assert (done.code, done.output) == (2, "")
    (line,) = done.error.splitlines()
    assert line.startswith(f"teardown-project: error: {message}")
    assert there(project) == before


def test_in_an_account_all_is_removed(project: Project, command: Command) -> None:
    done = command.call("--name", NAME, "--yes")
    assert (done.code, done.error) == (0, "")
    assert {kind for kind, _ in there(project)} == {"bucket"}


@pytest.mark.parametrize("yes", [True, False])
def test_what_was_refused_is_told_line_by_line_at_the_end(project: Project, command: Command, yes: bool) -> None:
    for operation in ("DescribeAlarms", "ListSchedules"):
        project.aws.deny(operation)
    done = command.call("--name", NAME, *(["--yes"] if yes else []))
    failed = [line for line in done.output.splitlines() if line.startswith("failed: ")]
    assert done.code == 1
    assert any(line.startswith("failed: looking for alarm: AccessDenied in DescribeAlarms") for line in failed)
    assert any(line.startswith("failed: looking for schedule: AccessDenied in ListSchedules") for line in failed)
    what = "removed" if yes else "looked at"
    assert done.error == (
        f"teardown-project: error: {len(failed)} things could not be {what}, see above: correct that, "
        "and run the same command again\n"
    )
    project.aws.answers.clear()
    assert ("endpoint" in {kind for kind, _ in there(project)}) is not yes


def test_while_an_execution_runs_nothing_is_removed(project: Project, command: Command) -> None:
    client = project.client("sagemaker")
    (summary,) = client.list_pipeline_executions(PipelineName=NAME)["PipelineExecutionSummaries"]
    del summary["PipelineExecutionFailureReason"]
    running = {"PipelineExecutionSummaries": [{**summary, "PipelineExecutionStatus": "Executing"}]}
    project.aws.answers["ListPipelineExecutions"] = lambda _: running
    before = there(project)
    done = command.call("--name", NAME, "--yes")
    assert done.code == 1
    assert done.error == (
        "teardown-project: error: 1 execution of the pipeline runs, and nothing was removed: "
        "wait for its end, or add --stop\n"
    )
    assert there(project) == before
    assert command.call("--name", NAME).output.splitlines()[-1].startswith("next: ")
    assert " --yes --stop --name " in command.call("--name", NAME).output


def test_an_interrupt_ends_it_after_what_it_is_at_and_the_same_again_finishes(
    project: Project, command: Command
) -> None:
    project.aws.answers["DeleteModel"] = lambda _: os.kill(os.getpid(), signal.SIGINT)
    done = command.call("--name", NAME, "--yes")
    assert (done.code, done.error) == (130, "teardown-project: error: interrupted\n")
    assert len(project.aws.sent("DeleteModel")) == 1
    assert "pipeline" in {kind for kind, _ in there(project)}
    project.aws.answers.clear()
    assert command.call("--name", NAME, "--yes").code == 0
    assert {kind for kind, _ in there(project)} == {"bucket"}


def _variant() -> dict[str, Any]:
    return {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
