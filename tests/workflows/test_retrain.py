"""Retraining is off until somebody turns it on, and gets its values from people who may mean harm."""

from pathlib import Path

import pytest

from tests.workflows.account import Account
from tests.workflows.github import Event, GitHub
from tests.workflows.runner import Run, run_workflow

SCHEDULE = Event("schedule")
JOB = "pipeline/pipeline"


def retrain(github: GitHub, event: Event, *, run_id: int = 1) -> Run:
    github.run_id = run_id
    github.sha = "7" * 40
    github.work = github.work / f"run-{run_id}-{len(list(github.work.glob('*')))}"
    return run_workflow("retrain.yml", github, event)


def by_hand(**inputs: str) -> Event:
    return Event("workflow_dispatch", inputs={name.replace("_", "-"): value for name, value in inputs.items()})


def test_nothing_is_retrained_on_a_schedule_that_nobody_turned_on(connected: GitHub, account: Account) -> None:
    run = retrain(connected, SCHEDULE)
    assert {job.result for job in run.values()} == {"skipped"}
    assert not account.proxy.calls


def test_a_commit_is_run_again_each_week_once_somebody_turned_it_on(connected: GitHub, account: Account) -> None:
    connected.variables = {**connected.variables, "RETRAIN_WEEKLY": "true"}
    executions = account.executions()
    for run_id in (11, 12):
        run = retrain(connected, SCHEDULE, run_id=run_id)
        assert run.result == "success", run[JOB].log
    assert len(account.executions()) == len(executions) + 2


def test_a_run_by_hand_takes_its_threshold(connected: GitHub, account: Account) -> None:
    run = retrain(connected, by_hand(roc_auc_threshold="0.7"), run_id=21)
    assert run.result == "success", run[JOB].log
    assert "Register: succeeded" in run[JOB].log
    assert "0.7" in run[JOB].summary
    assert account.proxy.calls["StartPipelineExecution"] == 1


@pytest.mark.parametrize(
    "inputs",
    [
        {"roc_auc_threshold": '0.7"; touch pwned; $(touch pwned) `touch pwned` --parameter InputData=s3://b/c'},
        {"input_data": "--local"},
    ],
)
def test_a_value_is_a_value_and_never_a_command_or_an_option(
    connected: GitHub, account: Account, inputs: dict[str, str]
) -> None:
    run = retrain(connected, by_hand(**inputs), run_id=31)
    assert run.result == "failure"
    assert run[JOB].step("Run the pipeline").code in {1, 2}
    assert list(connected.work.rglob("pwned")) == []
    assert account.proxy.calls["StartPipelineExecution"] == 0


def test_every_value_of_the_form_reaches_the_command(tree: Path) -> None:
    called = (tree / ".github" / "workflows" / "run-in-aws.yml").read_text()
    form = (tree / ".github" / "workflows" / "retrain.yml").read_text()
    for name in ("input-data", "roc-auc-threshold"):
        assert f"{name}: ${{{{ inputs.{name} }}}}" in form
        assert f"${{{{ inputs.{name} }}}}" in called
