"""A commit's run is started once and followed as often as one likes: the command, on a SageMaker of this machine."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines import get_pipeline_definition
from pipelines.fraud.dataset import write
from pipelines.local.session import session
from pipelines.run_pipeline import main
from tests.local.documents import compare, condition, definition, fail, parameter, register, shell

SHA = "0123456789abcdef0123456789abcdef01234567"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/gate/execution/abcdefghijkl"
ROLE = "arn:aws:iam::111122223333:role/pipeline"
REGISTER = register("Register", "fraud", "s3://bucket/model.tar.gz")
REGISTER["Arguments"]["MetadataProperties"] = {
    "CommitId": {"Get": "Parameters.CommitId"},
    "Repository": {"Get": "Parameters.Repository"},
}
TEXT = definition(
    condition(
        "Gate",
        compare("Equals", {"Get": "Parameters.Level"}, 2),
        then=[fail("TooBad", "level 2 is too bad")],
        otherwise=[REGISTER],
    ),
    parameters=[
        parameter("Level", "Integer", DefaultValue=1),
        parameter("CommitId", DefaultValue="unknown"),
        parameter("Repository", DefaultValue="unknown"),
        parameter("ModelApprovalStatus", DefaultValue="PendingManualApproval"),
        parameter("InputData", DefaultValue=f"s3://bucket/claims/data/{'0' * 64}/"),
    ],
)


@dataclass(frozen=True)
class Done:
    code: int
    output: str
    error: str


class Command:
    """`run-pipeline --local` in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def call(self, *arguments: str) -> Done:
        code = main(arguments)
        said = self._capsys.readouterr()
        return Done(code, said.out, said.err)

    def call_print(self, *arguments: str) -> Done:
        code = get_pipeline_definition.main(arguments)
        said = self._capsys.readouterr()
        return Done(code, said.out, said.err)

    def run(self, *arguments: str) -> Done:
        return self.call("--local", "--definition", "gate.json", *arguments)

    def executions(self) -> list[str]:
        """The ARNs of all executions, the latest first; none where nothing was made."""
        if not (self.folder / ".sagemaker-local").exists():
            return []
        return [each["PipelineExecutionArn"] for each in self.ask("list_pipeline_executions", PipelineName="gate")]

    def ask(self, operation: str, **request: Any) -> Any:
        opened = session(self.folder / ".sagemaker-local")
        answer: Any = getattr(opened.client("sagemaker"), operation)(**request)
        opened.close()
        return answer["PipelineExecutionSummaries"] if operation == "list_pipeline_executions" else answer


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name in ("GITHUB_SHA", "GITHUB_REPOSITORY", "CODEBUILD_RESOLVED_SOURCE_VERSION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "gate.json").write_text(TEXT)
    return Command(tmp_path, capsys)


def test_the_same_commit_twice_starts_one_execution_and_judges_it_twice(command: Command) -> None:
    first, second = command.run("--commit", SHA), command.run("--commit", SHA, "--json", "outcome.json")
    (arn,) = command.executions()
    assert (first.code, second.code) == (0, 0)
    assert f"this commit has this run already; another one has a --run-key. Following {arn}" in second.output
    assert json.loads((command.folder / "outcome.json").read_text())["execution_arn"] == arn


def test_a_rejection_is_found_again_too(command: Command) -> None:
    codes = [command.run("--commit", SHA, "--parameter", "Level=2").code for _ in range(2)]
    assert (codes, len(command.executions())) == ([3, 3], 1)


def test_a_run_key_and_other_parameters_are_other_runs(command: Command) -> None:
    command.run("--commit", SHA)
    command.run("--commit", SHA, "--run-key", "weekly-7")
    command.run("--commit", SHA, "--parameter", "Level=3")
    assert len(command.executions()) == 3


def test_by_hand_each_command_is_a_run_even_in_ci(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", SHA)
    for _ in range(2):
        assert command.run().code == 0
    assert len(command.executions()) == 2


def test_the_package_tells_the_commit_that_ci_builds(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", SHA)
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/fraud")
    command.run("--json", "outcome.json")
    arn = json.loads((command.folder / "outcome.json").read_text())["model_package_arn"]
    package = command.ask("describe_model_package", ModelPackageName=arn)
    assert package["MetadataProperties"]["CommitId"] == SHA
    assert package["MetadataProperties"]["Repository"] == "https://github.com/acme/fraud"


def test_a_project_and_a_commit_are_tags_of_the_pipeline(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_PROJECT_NAME", "claims")
    monkeypatch.setenv("SAGEMAKER_PROJECT_ID", "p-1")
    command.run("--commit", SHA, "--tags", '[{"Key": "team", "Value": "fraud"}]')
    arn = command.executions()[0].partition("/execution/")[0]
    tags = {tag["Key"]: tag["Value"] for tag in command.ask("list_tags", ResourceArn=arn)["Tags"]}
    assert tags == {
        "team": "fraud",
        "sagemaker:project-name": "claims",
        "sagemaker:project-id": "p-1",
        "commit": SHA,
    }


def test_an_execution_is_followed_by_its_arn_alone(command: Command) -> None:
    command.run("--parameter", "Level=2")
    (arn,) = command.executions()
    (command.folder / "gate.json").unlink()
    followed = command.call("--local", "--follow", arn, "--json", "outcome.json")
    assert (followed.code, followed.error) == (3, "")
    assert "REJECTED: level 2 is too bad" in followed.output
    assert json.loads((command.folder / "outcome.json").read_text())["parameters"]["Level"] == "2"
    assert command.executions() == [arn]


def test_a_failure_shows_the_end_of_the_jobs_log(command: Command) -> None:
    (command.folder / "gate.json").write_text(definition(shell("Broken", "echo no column fraud >&2; exit 4")))
    done = command.run()
    assert done.code == 1
    log = [line for line in done.output.splitlines() if line.startswith("  log of Broken: ")]
    assert len(log) == 1
    assert "\n    no column fraud" in done.output.partition(log[0])[2]


def test_the_same_data_are_one_input_however_they_were_given(command: Command) -> None:
    write(command.folder / "claims", rows=60)
    command.run("--input-data", "claims", "--json", "outcome.json")
    uri = json.loads((command.folder / "outcome.json").read_text())["parameters"]["InputData"]
    assert uri.startswith("s3://sagemaker-us-east-1-000000000000/claims/data/")


MODULE = """
from pathlib import Path
class Pipeline:
    name = "gate"
    def __init__(self, uri):
        self.uri = uri
    def definition(self):
        return Path("gate.json").read_text().replace("s3://bucket/claims/data/" + "0" * 64 + "/", self.uri)
def get_pipeline(input_data="s3://bucket/mine/", base_job_prefix="policies"):
    return Pipeline(input_data)
"""


def test_data_for_a_module_go_where_it_keeps_its_own(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(command.folder)
    (command.folder / "gated.py").write_text(MODULE)
    write(command.folder / "claims", rows=60)
    more = ("--module-name", "gated", "--input-data", "claims", "--json", "outcome.json")
    assert command.call("--local", *more).code == 0
    uri = json.loads((command.folder / "outcome.json").read_text())["parameters"]["InputData"]
    assert uri.startswith("s3://sagemaker-us-east-1-000000000000/policies/data/")
    printed = json.loads(command.call_print("--local", *more[:-2]).output)
    assert {"Name": "InputData", "Type": "String", "DefaultValue": uri} in printed["Parameters"]


def test_data_for_a_run_leave_its_pipeline_as_it_is(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(command.folder)
    (command.folder / "gated.py").write_text(MODULE)
    write(command.folder / "claims", rows=60)
    assert "pipeline gate created" in command.call("--local", "--module-name", "gated").output
    done = command.call("--local", "--module-name", "gated", "--input-data", "claims")
    assert "pipeline gate unchanged" in done.output


MISTAKES = [
    (("--commit", "main"), "--commit main is no commit's SHA: give all 40 (or 64) lower-case hex digits, or HEAD"),
    (("--commit", "HEAD"), "not a git repository"),
    (("--run-key", "x"), "--run-key is for a run of a commit: give --commit too"),
    (("--timeout", "5"), "--timeout: a local run ends with this command; leave out --timeout or --local"),
    (("--timeout", "0"), "argument --timeout: expected a number of minutes above 0, not '0'"),
    (("--timeout", "soon"), "argument --timeout: expected a number of minutes above 0, not 'soon'"),
    (("--no-regression", "-1"), "argument --no-regression: expected a difference of ROC AUC from 0 to 1, not '-1'"),
    (("--no-regression", "nan"), "argument --no-regression: expected a difference of ROC AUC from 0 to 1, not 'nan'"),
    (
        ("--no-regression", "0", "--parameter", "ModelApprovalStatus=Approved"),
        "--no-regression: a model that is registered as Approved may be deployed before it is compared",
    ),
    (("--follow", ARN), "--follow starts nothing: leave out --definition"),
    (("--role-arn", "arn:aws:iam::1:role/x"), "is no role's ARN: expected arn:aws:iam::<account>:role/<name>"),
    (("--kwargs", '{"role": "pipeline"}', "--module-name", "x"), "--definition runs without a module"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda value: str(value)[:50])
def test_a_mistake_is_told_in_one_line_and_makes_nothing(
    command: Command, arguments: tuple[str, ...], message: str
) -> None:
    done = command.run(*arguments)
    assert (done.code, done.output) == (2, "")
    assert message in done.error
    assert done.error.count("\n") == 1
    assert sorted(path.name for path in command.folder.iterdir()) == ["gate.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--follow", "abcdefghijkl"), "--follow abcdefghijkl is no execution's ARN"),
        (("--follow", ARN, "--role-arn", ROLE), "--follow starts nothing: leave out --role-arn"),
        (("--follow", ARN, "--commit", SHA), "--follow starts nothing: leave out --commit"),
        (("--follow", ARN.replace("us-east-1", "eu-west-1")), "is in eu-west-1 and this session in us-east-1"),
        (("--follow", ARN.replace("000000000000", "111122223333")), "is of account 111122223333 and these credentials"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_cannot_be_followed_is_told_in_one_line(
    command: Command, arguments: tuple[str, ...], message: str
) -> None:
    done = command.call("--local", *arguments)
    assert (done.code, done.output) == (2, "")
    assert message in done.error
    assert done.error.count("\n") == 1


def test_an_execution_that_is_not_there_is_told_in_one_line(command: Command) -> None:
    done = command.call("--local", "--follow", ARN)
    assert done.code == 1
    assert done.error.startswith("run-pipeline: error: ResourceNotFound in DescribePipelineDefinitionForExecution")
    assert done.error.count("\n") == 1


def test_a_clean_checkout_tells_its_commit(command: Command) -> None:
    for words in (["init", "-q"], ["add", "gate.json"], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b.c", *words], cwd=command.folder, check=True)
    command.run("--json", "outcome.json")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=command.folder, check=True, capture_output=True, text=True)
    outcome = json.loads((command.folder / "outcome.json").read_text())
    assert outcome["parameters"]["CommitId"] == head.stdout.strip()
    command.run("--commit", "HEAD")
    command.run("--commit", "HEAD")
    assert len(command.executions()) == 2
