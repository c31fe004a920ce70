"""approve-model as a person types it: on a registry of this machine, and on one that is reached as AWS is."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelines.approve_model import main
from pipelines.local.session import session
from tests.commands.test_bad_usage import call
from tests.delivery.registry import add, arn_of, put_report
from tests.workflows.account import Account

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "approval.schema.json").read_text())
ROOT = ".sagemaker-local"
Act = Callable[[Any], object]


@dataclass(frozen=True)
class Done:
    code: int
    output: str
    error: str


class Command:
    """`approve-model --local --group fraud` in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def call(self, *arguments: str) -> Done:
        code = main(arguments)
        said = self._capsys.readouterr()
        return Done(code, said.out, said.err)

    def approve(self, *arguments: str) -> Done:
        return self.call(*arguments, "--local", "--group", "fraud")

    def refuse(self, *arguments: str) -> tuple[int, str]:
        """Call what must fail with one line."""
        done = self.call(*arguments)
        (line,) = done.error.splitlines()
        assert done.output == ""
        return done.code, line.partition("approve-model: error: ")[2]

    def facts(self) -> dict[str, Any]:
        """What was written to facts.json, after a check against its schema."""
        document: dict[str, Any] = json.loads((self.folder / "facts.json").read_text())
        jsonschema.validate(document, SCHEMA)
        return document

    def ask(self, act: Act) -> Any:
        """Do something with the registry's client."""
        with session(self.folder / ROOT) as opened:
            return act(opened.client("sagemaker"))

    def approval(self, version: int = 1) -> str:
        return str(
            self.ask(lambda client: client.describe_model_package(ModelPackageName=arn_of(version)))[
                "ModelApprovalStatus"
            ]
        )


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "CODEBUILD_INITIATOR", "CODEBUILD_BUILD_URL"):
        monkeypatch.delenv(name, raising=False)
    return Command(tmp_path, capsys)


@pytest.fixture
def registry(command: Command) -> Command:
    """A registry with an approved version, and a better one that waits."""
    with session(command.folder / ROOT) as opened:
        put_report(opened.client("s3"))
        add(opened.client("sagemaker"), 0.93, approval="Approved")
        add(opened.client("sagemaker"), 0.9476)
    return command


def test_what_waits_is_shown_with_the_commands_that_come_next(registry: Command) -> None:
    done = registry.approve()
    head, _, columns, row, _, full, following = done.output.splitlines()
    assert (done.code, done.error) == (0, "")
    assert head == "fraud: 1 version waits for approval; champion: version 1, ROC AUC 0.9300"
    assert columns.split() == ["version", "ROC", "AUC", "champion", "threshold", "commit", "age"]
    assert re.fullmatch(r" +2 +0\.9476 +\+0\.0176 +0\.85  01234567 +\d+ s", row)
    assert re.fullmatch(r"in full: .*approve.model 2 --local --group fraud", full)
    assert re.fullmatch(r"next: .*approve.model 2 --approve --note WHY --local --group fraud", following)


def test_nothing_waits_where_all_is_decided(registry: Command) -> None:
    registry.approve("2", "--reject", "--note", "no")
    done = registry.approve()
    assert done.output.startswith("fraud: nothing waits for approval; champion: version 1, ROC AUC 0.9300\n\nnext: ")
    assert re.search(r"approve.model --all --local --group fraud  # lists what was decided\n$", done.output)


def test_all_lists_what_was_decided_too(registry: Command) -> None:
    registry.approve("1", "--approve", "--stage", "production")
    lines = registry.approve("--all").output.splitlines()
    assert [line.split()[-1] for line in lines[3:5]] == ["waits", "Approved"]
    assert lines[4].endswith("Approved  production Approved")


def test_of_many_the_newest_are_listed(command: Command) -> None:
    command.ask(lambda client: [add(client) for _ in range(22)])
    done = command.approve("--json", "facts.json")
    assert "fraud: 22 versions wait for approval" in done.output
    assert "\nand 2 older ones\n" in done.output
    assert [package["version"] for package in command.facts()["packages"]] == list(range(22, 2, -1))
    assert command.facts()["not_shown"] == 2


def test_one_in_full_ends_with_the_commands_that_decide(registry: Command) -> None:
    done = registry.approve("v2", "--json", "facts.json")
    *text, approve, reject = done.output.splitlines()
    assert done.code == 0
    assert "  champion     version 1, 0.9300, this one +0.0176" in text
    assert f"  report       {ROOT}/s3/reports/evaluation.json" in text
    assert re.fullmatch(r"approve: .*approve.model 2 --approve --note WHY --local --group fraud", approve)
    assert re.fullmatch(r"reject:  .*approve.model 2 --reject --note WHY --local --group fraud", reject)
    assert registry.facts()["packages"][0]["quality"]["items"] == 1000


def test_what_speaks_against_an_approval_stands_before_the_command_of_it(command: Command) -> None:
    command.ask(lambda client: add(client, 0.95, approval="Approved"))
    command.ask(lambda client: add(client, 0.9, CustomerMetadataProperties={"RocAuc": "0.9", "InputDataHash": "cafe"}))
    lines = command.approve("2").output.splitlines()
    told = [line.partition(":")[0] for line in lines[-5:]]
    assert told == ["beware", "beware", "beware", "approve", "reject"]
    assert lines[-5] == (
        "beware: It is worse than the champion, version 1: its ROC AUC is 0.9000, 0.0500 below 0.9500."
    )
    assert command.approve("2", "--approve").code == 0


def test_a_rejected_one_in_full_needs_force(registry: Command) -> None:
    registry.approve("2", "--reject", "--note", "no")
    last = registry.approve("2").output.splitlines()[-1]
    assert "2 --approve --force --note WHY" in last


def test_an_approval_is_told_with_what_comes_next(registry: Command) -> None:
    done = registry.approve("2", "--approve", "--note", "good", "--json", "facts.json")
    says, note, following = done.output.splitlines()
    assert (done.code, says) == (0, "fraud/2 is Approved")
    assert re.fullmatch(r"  Approved by arn:aws:sts::0{12}:assumed-role/sagemaker-local/\S+ on \S+ \S+ UTC: good", note)
    assert re.fullmatch(r"next: .*deploy.model --stage staging --model-package 2 --local --group fraud", following)
    assert registry.approval(2) == "Approved"
    assert (registry.facts()["decision"]["changed"], registry.facts()["packages"][0]["approval"]["status"]) == (
        True,
        "Approved",
    )


def test_of_what_was_decided_before_only_the_last_is_told(registry: Command) -> None:
    registry.approve("2", "--reject", "--note", "no")
    done = registry.approve("2", "--approve", "--force", "--note", "yes")
    assert done.output.splitlines()[1].endswith(": yes")
    assert "\n    before     Rejected by" in registry.approve("2").output


def test_the_same_decision_again_changes_nothing(registry: Command) -> None:
    registry.approve("2", "--approve", "--note", "good")
    before = registry.ask(lambda client: client.describe_model_package(ModelPackageName=arn_of(2)))
    done = registry.approve(arn_of(2), "--approve", "--note", "better", "--json", "facts.json")
    after = registry.ask(lambda client: client.describe_model_package(ModelPackageName=arn_of(2)))
    assert (done.code, registry.facts()["decision"]["changed"]) == (0, False)
    assert re.fullmatch(r"fraud/2 is Approved already: Approved by .*: good; nothing was changed\n", done.output)
    assert before["LastModifiedTime"] == after["LastModifiedTime"]


def test_production_has_its_own_approval(registry: Command) -> None:
    done = registry.approve("1", "--approve", "--stage", "production", "--note", "a week of staging")
    assert done.output.startswith("fraud/1 is Approved, production: Approved\n  Approved by ")
    assert re.search(r"next: .*deploy.model --stage production --model-package 1 --local", done.output)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("9",), 1, "fraud has no version 9: there are 2, 1"),
        (("nine",), 2, "'nine' is no model package: expected a version such as 7, or an ARN such as arn:aws:sagemaker"),
        ((arn_of(1, "other"),), 2, "is of group other: expected one of group fraud"),
        (("--group", "ghost"), 1, "there is no model package group ghost in us-east-1: give --group one of fraud"),
        (("1", "--approve", "--stage", "staging", "--note", "x" * 1000), 2, "--note has 1000 letters: beside who and"),
        (("2", "--approve", "--stage", "staging"), 1, "fraud/2 is PendingManualApproval: approve it as a whole first"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    registry: Command, arguments: tuple[str, ...], code: int, message: str
) -> None:
    group = () if "--group" in arguments else ("--group", "fraud")
    (registry.folder / "facts.json").write_text("of an earlier command")
    before = registry.ask(lambda client: client.list_model_packages()["ModelPackageSummaryList"])
    refused, line = registry.refuse(*arguments, "--local", *group, "--json", "facts.json")
    assert refused == code
    assert message in line
    assert registry.ask(lambda client: client.list_model_packages()["ModelPackageSummaryList"]) == before
    assert not (registry.folder / "facts.json").exists()


USAGE = [
    (("--approve",), "--approve and --reject need a version, such as: approve-model 7 --approve"),
    (("7", "--approve", "--reject"), "argument --reject: not allowed with argument --approve"),
    (("7", "--all"), "--all lists every version: leave out --all or the version"),
    (("7", "--note", "x"), "--note, --stage and --force belong to a decision: add --approve or --reject"),
    (("7", "--stage", "staging"), "--note, --stage and --force belong to a decision"),
    (("7", "--force"), "--note, --stage and --force belong to a decision"),
    (("7", "--reject"), "--reject needs a reason: say why with --note"),
    (("7", "--reject", "--force", "--note", "x"), "--force approves what was turned down: leave it out with --reject"),
    (("7", "--approve", "--force"), "--force needs a reason: say why with --note"),
    (("7", "--approve", "--note", ""), "--note is empty: say why, or leave it out"),
    (("7", "--approve", "--note", "WHY"), "--note WHY stands for your own words: say why, or leave it out"),
    (("7", "--reject", "--note", "no | before: Approved by me: yes"), "--note has '| before:' in it, which parts a"),
    (
        ("7", "--reject", "--note", "-x"),
        "argument --note: expected one argument: give one that begins with a dash as --",
    ),
    (("7", "--approve", "--note", "a\x07b"), "--note has U+0007 (a control character) in it"),
    (("7", "--approve", "--stage", "prod"), "argument --stage: invalid choice: 'prod'"),
    (("--group", "a", "-n", "b"), "--group names the group itself: leave out --module-name"),
    (("--group", "a b"), "'a b' is no model package group: expected at most 63 letters, digits and hyphens"),
    (("--group", ""), "argument --group"),
    (("",), "the value is empty: give one, or leave the option out"),
    (("--json", "missing/facts.json"), "--json missing/facts.json: name a file in a folder that exists"),
    (("--local-root", "x"), "--local-root is for --local: give both or none"),
    (("--local",), f"{ROOT} does not exist: run run-pipeline --local here first, or give another --local-root"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE, ids=lambda value: str(value)[:60])
def test_wrong_usage_is_told_in_one_line_and_makes_nothing(
    command: Command, arguments: tuple[str, ...], message: str
) -> None:
    code, line = command.refuse(*arguments)
    assert code == 2
    assert message in line
    assert list(command.folder.iterdir()) == []


# The group


def test_the_group_is_that_of_the_settings_beside_the_module(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(command.folder)
    package = command.folder / "claims_of_mine"
    package.mkdir()
    (package / "settings.py").write_text('MODEL_PACKAGE_GROUP_NAME = "mine"')
    (package / "pipeline.py").write_text("raise RuntimeError('nobody needs it')")
    command.ask(lambda client: add(client, group="mine"))
    done = command.call("--local", "-n", "claims_of_mine.pipeline")
    assert done.output.startswith("mine: 1 version waits for approval")
    assert done.output.splitlines()[-1].endswith("--local --module-name claims_of_mine.pipeline")


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ("", 2, "is not known: give --group NAME, or set MODEL_PACKAGE_GROUP_NAME in broken_claims.settings"),
        ("MODEL_PACKAGE_GROUP_NAME = 7", 2, "the model package group of broken_claims.pipeline is not known"),
        ("1 / 0", 1, "module broken_claims.settings cannot be imported: ZeroDivisionError: division by zero"),
        (None, 2, "the model package group of broken_claims.pipeline is not known: give --group NAME"),
    ],
)
def test_a_group_that_is_not_known_must_be_named(folder: Path, settings: str | None, code: int, message: str) -> None:
    if settings is not None:
        (folder / "broken_claims").mkdir()
        (folder / "broken_claims" / "settings.py").write_text(settings)
    done = call(folder, "pipelines.approve_model", "-n", "broken_claims.pipeline")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (code, "")
    assert message in line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_no_slow_library_is_imported(registry: Command) -> None:
    done = call(registry.folder, "pipelines.approve_model", "--local", "--group", "fraud", PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert "boto3" in imported
    assert imported.isdisjoint({"sagemaker", "rich", "numpy", "pandas", "aiohttp", "xgboost", "pydantic"})


# In AWS


@pytest.fixture
def account(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account on loopback, reached with a region and credentials as AWS is."""
    served = Account(tmp_path_factory.mktemp("account") / "root")
    credentials = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**served.environment, **credentials}.items():
        monkeypatch.setenv(name, value)
    add(served.client)
    yield served
    served.close()


def test_in_aws_the_same_is_shown_and_done(account: Account, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_TRIGGERING_ACTOR", "ada")
    shown = command.call("--group", "fraud")
    assert re.search(r"next: .*approve.model 1 --approve --note WHY --group fraud", shown.output)
    assert command.call("1", "--group", "fraud").code == 0
    done = command.call("1", "--approve", "--note", "good", "--group", "fraud")
    assert re.search(r"Approved by ada \(.*as arn:aws:sts::0{12}:assumed-role/sagemaker-local/.*: good", done.output)
    approved = account.client.describe_model_package(ModelPackageName=arn_of(1))
    assert approved["ModelApprovalStatus"] == "Approved"


def test_a_throttled_service_and_a_lost_answer_are_asked_again(account: Account, command: Command) -> None:
    account.proxy.throttled["DescribeModelPackage"] = 1
    account.proxy.lost["UpdateModelPackage"] = 1
    done = command.call("1", "--approve", "--note", "good", "--group", "fraud")
    note = account.client.describe_model_package(ModelPackageName=arn_of(1))["ApprovalDescription"]
    assert (done.code, note.count("Approved by")) == (0, 1)
    assert account.proxy.calls["UpdateModelPackage"] == 2


def test_of_two_who_decide_in_the_same_moment_the_later_one_stands(account: Account, command: Command) -> None:
    def reject(request: dict[str, Any]) -> None:
        account.client.update_model_package(
            ModelPackageArn=request["ModelPackageArn"], ModelApprovalStatus="Rejected", ApprovalDescription="no"
        )

    account.proxy.before["UpdateModelPackage"] = reject
    assert command.call("1", "--approve", "--note", "good", "--group", "fraud").code == 0
    assert account.client.describe_model_package(ModelPackageName=arn_of(1))["ModelApprovalStatus"] == "Approved"


def test_who_decides_after_another_sees_what_that_one_did(account: Account, command: Command) -> None:
    account.client.update_model_package(
        ModelPackageArn=arn_of(1), ModelApprovalStatus="Rejected", ApprovalDescription="no"
    )
    code, line = command.refuse("1", "--approve", "--note", "good", "--group", "fraud")
    assert (code, line) == (
        1,
        "fraud/1 was rejected: no; to approve it all the same, add --force and say why with --note",
    )
    assert account.proxy.calls["UpdateModelPackage"] == 0


def test_without_credentials_or_region_the_line_says_how_to_get_some(folder: Path) -> None:
    without = call(folder, "pipelines.approve_model", "--group", "fraud")
    assert (without.returncode, without.stdout) == (2, "")
    assert (
        "NoRegionError: You must specify a region. Next: set AWS_DEFAULT_REGION, or run with --local" in without.stderr
    )
    done = call(folder, "pipelines.approve_model", AWS_DEFAULT_REGION="us-east-1")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert "NoCredentialsError: Unable to locate credentials. Next: log in again" in line
