"""What linters and schemas say of the workflows: nothing."""

import json
import re

import pytest

from tests.workflows.files import DEPENDABOT, REPOSITORY, WORKFLOWS, call, read, scripts, steps

SCRIPTS = scripts()
PINNED = re.compile(r"uses: (?P<action>[\w/-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)$")


def test_zizmor_as_an_auditor_finds_nothing() -> None:
    arguments = ("--offline", "--persona=auditor", "--strict-collection", "--collect=all", "--format=json")
    done = call("zizmor", *arguments, "--no-progress", REPOSITORY / ".github")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == []
    for file in WORKFLOWS:
        assert f"completed {file}" in done.stderr


def test_zizmor_would_find_something(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("broken") / "broken.yml"
    file.write_text("on: push\njobs:\n  one:\n    runs-on: x\n    steps:\n      - run: echo ${{ github.head_ref }}\n")
    assert "template-injection" in call("zizmor", "--offline", "--no-progress", file).stdout


@pytest.mark.parametrize(
    ("schema", "files"), [("vendor.github-workflows", WORKFLOWS), ("vendor.dependabot", [DEPENDABOT])]
)
def test_the_files_have_the_form_that_github_documents(schema: str, files: list[str]) -> None:
    done = call("check-jsonschema", "--builtin-schema", schema, *files)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("place", SCRIPTS)
def test_shellcheck_finds_nothing_in_a_step(place: str) -> None:
    done = call("shellcheck", "--shell=bash", "--severity=style", "-", text=SCRIPTS[place])
    assert done.stdout == ""
    assert done.returncode == 0


@pytest.mark.parametrize("place", SCRIPTS)
def test_a_step_gets_every_value_through_its_environment(place: str) -> None:
    assert "${{" not in SCRIPTS[place]


def test_each_action_is_pinned_to_one_commit_with_its_version() -> None:
    lines = [line.strip() for file in WORKFLOWS for line in file.read_text().splitlines() if "uses:" in line]
    foreign = [line for line in lines if "uses: $/" not in line]
    pinned = [found for line in foreign if (found := PINNED.search(line))]
    assert len(pinned) == len(foreign) > 0
    versions = {(found["action"], found["commit"], found["version"]) for found in pinned}
    assert len(versions) == len({action for action, *_ in versions})


def test_only_the_job_without_any_code_has_a_token_that_writes() -> None:
    for file in WORKFLOWS:
        document = read(file)
        assert document["permissions"] == {}
        for job in document["jobs"].values():
            granted = {name for name, level in job.get("permissions", {}).items() if level == "write"}
            if "pull-requests" in granted:
                used = {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
                assert used == {"actions/download-artifact"}
            assert granted <= {"pull-requests", "id-token"}


def test_no_step_checks_code_out_with_a_token_that_stays() -> None:
    checkouts = [step for file in WORKFLOWS for step in steps(file) if "actions/checkout@" in step.get("uses", "")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("main.yml", "pipeline-in-aws"),
        ("retrain.yml", "pipeline-in-aws"),
        ("deploy.yml", "deploy"),
        ("approve.yml", "approve"),
    ],
)
def test_what_changes_something_in_aws_is_queued_and_never_cancelled(name: str, group: str) -> None:
    (document,) = (read(file) for file in WORKFLOWS if file.name == name)
    assert document["concurrency"] == {"group": group, "cancel-in-progress": False, "queue": "max"}


def test_each_job_that_takes_on_a_role_is_one_whose_runs_are_queued() -> None:
    taking = {file.name for file in WORKFLOWS if "configure-aws-credentials@" in file.read_text()}
    assert taking == {"run-in-aws.yml", "deploy-stage.yml", "approve.yml"}
    for called, callers in {"run-in-aws.yml": {"main.yml", "retrain.yml"}, "deploy-stage.yml": {"deploy.yml"}}.items():
        assert {file.name for file in WORKFLOWS if f"$/.github/workflows/{called}" in file.read_text()} == callers


def test_every_job_has_a_time_limit() -> None:
    for file in WORKFLOWS:
        for job in read(file)["jobs"].values():
            assert "uses" in job or job["timeout-minutes"] <= 360
