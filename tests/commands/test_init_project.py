"""init-project as a person types it, in a copy of this repository."""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.adoption.init.choices import LONGEST_NAME
from pipelines.delivery.deployment.names import endpoint_name
from pipelines.delivery.lifecycle import STAGES
from pipelines.delivery.settings import read_settings
from tests.adoption.init.command import Command
from tests.adoption.init.copies import FRESH, REPOSITORY, SETTINGS, copy_to
from tests.unprivileged import unprivileged_folder

NAMED = {"pipeline_name": "claims", "model_package_group_name": "claims", "base_job_prefix": "claims"}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    copy = copy_to(tmp_path / "copy 사본")
    monkeypatch.chdir(copy.root)
    return Command(copy, capsys)


# What is changed


def test_all_is_named_after_the_project_and_the_rest_stays(command: Command) -> None:
    before = command.copy.files()
    done = command.do("--name", "claims")
    assert done.changes.splitlines() == [
        f"change {SETTINGS}",
        "  pipeline_name             fraud-detection -> claims",
        "  model_package_group_name  fraud-detection -> claims",
        "  base_job_prefix           fraud -> claims",
        "",
        "done",
    ]
    assert command.copy.settings == FRESH | NAMED
    assert command.copy.files() == before | {SETTINGS: (command.copy.root / SETTINGS).read_bytes()}


def test_what_is_given_is_set(command: Command) -> None:
    flags = ("--region", "eu-west-1", "--instance-type", "ml.c5.xlarge", "--hosting-instance-type", "ml.c5.large")
    command.do("--name", "claims", *flags, "--threshold", "0.9")
    assert command.copy.settings == FRESH | NAMED | {
        "region": "eu-west-1",
        "processing_instance_type": "ml.c5.xlarge",
        "training_instance_type": "ml.c5.xlarge",
        "hosting_instance_type": "ml.c5.large",
        "roc_auc_threshold": 0.9,
    }
    assert read_settings(command.copy.root / SETTINGS).region == "eu-west-1"


def test_a_vpc_is_set_by_what_is_in_it(command: Command) -> None:
    flags = ("--subnets", "subnet-0a1b,subnet-0c2d", "--security-groups", "sg-0e3f")
    done = command.do("--name", "claims", *flags)
    vpc = {"subnets": ["subnet-0a1b", "subnet-0c2d"], "security_groups": ["sg-0e3f"]}
    assert command.copy.settings == FRESH | NAMED | vpc
    assert '  subnets                   [] -> ["subnet-0a1b", "subnet-0c2d"]' in done.changes.splitlines()
    assert command.do("--name", "claims", *flags).changes.startswith("nothing was changed")
    command.do("--name", "claims", "--threshold", "0.9")
    assert read_settings(command.copy.root / SETTINGS).subnets == vpc["subnets"]


def test_a_second_call_changes_nothing_and_says_so(command: Command) -> None:
    flags = ("--name", "claims", "--threshold", "0.9", "--remove-other-provider")
    command.do(*flags)
    command.copy.commit()
    before, written = command.copy.files(), (command.copy.root / SETTINGS).stat()
    assert command.do(*flags).changes == "nothing was changed: all of this is so already\n"
    assert command.copy.files() == before
    assert (command.copy.root / SETTINGS).stat().st_ino == written.st_ino


def test_what_is_not_given_stays_as_it_was_chosen(command: Command) -> None:
    command.do("--name", "claims", "--threshold", "0.9", "--region", "eu-west-1")
    command.do("--name", "claims-p-1", "--threshold", "0.8")
    found = command.copy.settings
    assert (found["pipeline_name"], found["roc_auc_threshold"], found["region"]) == ("claims-p-1", 0.8, "eu-west-1")


def test_keys_and_values_that_are_the_teams_own_stay_in_their_order(command: Command) -> None:
    command.copy.write(SETTINGS, {"team": {"name": "사기 탐지"}, **FRESH, "max_tuning_jobs": 9})
    command.do("--name", "claims")
    assert list(command.copy.settings) == ["team", *FRESH]
    assert command.copy.settings == {"team": {"name": "사기 탐지"}, **FRESH, **NAMED, "max_tuning_jobs": 9}


def test_a_dry_run_says_the_same_and_writes_nothing(command: Command) -> None:
    flags = ("--name", "claims", "--region", "eu-west-1", "--remove-other-provider")
    before = command.copy.files()
    dry = command.do(*flags, "--dry-run").output
    assert command.copy.files() == before
    assert dry.endswith("\n\nnothing was changed: this is a dry run\n")
    assert command.do(*flags).changes.partition("\n\n")[0] == dry.partition("\n\n")[0]


def test_the_settings_are_for_whoever_may_read_the_folder(command: Command) -> None:
    command.do("--name", "claims")
    assert stat.S_IMODE((command.copy.root / SETTINGS).stat().st_mode) == 0o644
    there = {path.name for path in (command.copy.root / SETTINGS).parent.iterdir()}
    assert there == {"sample.json", "settings.json", "steps"}


# Names


def parameter(name: str) -> dict[str, Any]:
    """Return a parameter of the project's template."""
    lines = (REPOSITORY / "project-template" / "template.yml").read_text()
    text = re.findall(rf"^  {name}:\n((?:    .*\n)+)", lines, re.MULTILINE)[0]
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.mark.parametrize("name", ["c", "claims", "claims-2026", "a--b", "claims-p-1a2b3c4d5e6f", "a" * LONGEST_NAME])
def test_a_name_that_all_can_have_is_taken(command: Command, name: str) -> None:
    command.do("--name", name)
    found = read_settings(command.copy.root / SETTINGS)
    assert (found.pipeline_name, found.model_package_group_name, found.base_job_prefix) == (name, name, name)
    assert {endpoint_name(name, stage) for stage in STAGES} == {f"{name}-{stage}" for stage in STAGES}


@pytest.mark.parametrize(
    "name", ["Claims", "1claims", "-claims", "claims-", "my claims", "claims_2", "klaïms", "a" * 53]
)
def test_a_name_that_something_cannot_have_is_refused(command: Command, name: str) -> None:
    assert command.refuse(f"--name={name}") == (
        2,
        f"--name {name}: expected at most 52 lower-case letters, digits and hyphens, "
        "a letter first and no hyphen last, such as claims or claims-p-1a2b3c",
    )


def test_a_name_is_one_of_a_project_with_or_without_its_id() -> None:
    name, number = parameter("SageMakerProjectName"), parameter("SageMakerProjectId")
    for part, shape in (("claims", name), ("a--b", name), ("p-1a2b3c4d5e6f", number)):
        assert re.fullmatch(shape["AllowedPattern"].strip("^$"), part)
    assert name["MaxLength"] + 1 + number["MaxLength"] <= LONGEST_NAME


# What is refused

MISTAKES = [
    ((), "the following arguments are required: --name (see init-project --help)"),
    (("--name", ""), "argument --name: the value is empty"),
    (("--name", "a", "--region", "eu-west-9"), "--region eu-west-9: SageMaker is in no such region; known are eu-cen"),
    (("--name", "a", "--region", "Ireland"), "--region Ireland: SageMaker is in no such region; known are "),
    (
        ("--name", "a", "--instance-type", "ml.m5.huge"),
        "--instance-type ml.m5.huge: processing and training jobs have no such instances; there are ml.m5.12xlarge, ",
    ),
    (
        ("--name", "a", "--hosting-instance-type", "m5"),
        "--hosting-instance-type m5: endpoints have no such instances; there are ml.m5.12xlarge, ",
    ),
    (("--name", "a", "--subnets", "subnet-1"), "--subnets and --security-groups belong together: give both or none"),
    (("--name", "a", "--security-groups", "sg-1"), "--subnets and --security-groups belong together: give both or n"),
    (("--name", "a", "--subnets", "", "--security-groups", "sg-1"), "argument --subnets: the value is empty"),
    (
        ("--name", "a", "--subnets", "subnet-1, subnet-2", "--security-groups", "sg-1"),
        "--subnets subnet-1, subnet-2: expected ids with commas between them; the settings take [] or a list of",
    ),
    (
        ("--name", "a", "--subnets", "subnet-1", "--security-groups", "subnet-1"),
        "--security-groups subnet-1: expected ids with commas between them; the settings take [] or a list of",
    ),
    (("--name", "a", "--threshold", "1"), "argument --threshold: expected a ROC AUC from 0 to below 1, not '1'"),
    (("--name", "a", "--threshold", "nan"), "argument --threshold: expected a ROC AUC from 0 to below 1, not 'nan'"),
    (("--name", "a", "--threshold", "high"), "argument --threshold: expected a ROC AUC from 0 to below 1, not 'high'"),
    (("--name", "a", "--provider", "gitlab"), "argument --provider: invalid choice: 'gitlab'"),
    (("--name", "a", "--data", "."), "--data and --label belong together: give both or none"),
    (("--name", "a", "--label", "fraud"), "--data and --label belong together: give both or none"),
    (("--name", "a", "--id", "number"), "--id is a column of --data: give both or leave it out"),
    (("--name", "a", "--drop", "zip"), "--drop leaves out a column of --data: give both or leave it out"),
    (("--name", "a", "--redraft"), "--redraft is about --data: give both or leave it out"),
]


@pytest.mark.parametrize(("flags", "message"), MISTAKES)
def test_wrong_usage_is_told_in_one_line_and_changes_nothing(
    command: Command, flags: tuple[str, ...], message: str
) -> None:
    code, line = command.refuse(*flags)
    assert code == 2
    assert line.startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "settings.json is no JSON: Expecting property name enclosed in double quotes"),
        ("[]", "settings.json has no JSON object"),
        (json.dumps(FRESH | {"roc_auc_threshold": 85}), "settings.json: 'roc_auc_threshold' is 85; allowed: a number"),
        (json.dumps({"pipeline_name": "claims"}), "settings.json: 'model_package_group_name' is missing; allowed: "),
    ],
)
def test_settings_that_cannot_be_used_are_not_written_over(command: Command, content: str, message: str) -> None:
    command.copy.write(SETTINGS, content)
    code, line = command.refuse("--name", "claims", "--threshold", "0.9")
    assert code == 1
    assert message in line


def test_a_folder_that_is_no_copy_is_refused(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(command.copy.root / "pipelines")
    code, line = command.refuse("--name", "claims")
    assert code == 2
    assert line == (
        f"{command.copy.root / 'pipelines'} is no copy of this repository, for it has no pyproject.toml: "
        "change to the root folder of your copy"
    )


def test_a_folder_that_cannot_be_written_to_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with unprivileged_folder() as folder:
        command = Command(copy_to(folder / "copy", in_git=False), capsys)
        monkeypatch.chdir(command.copy.root)
        package = (command.copy.root / SETTINGS).parent
        package.chmod(0o555)
        before = command.copy.files()
        done = command.call("--name", "claims")
        after = command.copy.files()
        monkeypatch.chdir("/")
        package.chmod(0o755)
    assert after == before
    (line,) = done.error.splitlines()
    assert (done.code, line) == (
        2,
        f"init-project: error: {package} cannot be written to, so nothing was changed: work in a copy of your own",
    )


def test_no_lock_of_git_gets_in_the_way(command: Command) -> None:
    (command.copy.root / ".git" / "index.lock").touch()
    command.do("--name", "claims", "--remove-other-provider")
    assert os.path.lexists(command.copy.root / ".git" / "index.lock")


def test_settings_that_are_missing_are_told_as_such(command: Command) -> None:
    (command.copy.root / SETTINGS).unlink()
    code, line = command.refuse("--name", "claims")
    assert code == 1
    assert line == f"{command.copy.root / SETTINGS}: No such file or directory; take the file from the repository again"
