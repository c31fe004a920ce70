"""A commit on main runs in AWS once, is judged, and ends as it should whatever happens on the way."""

import pytest

from tests.workflows.account import Account
from tests.workflows.conftest import Commit
from tests.workflows.github import Event, GitHub
from tests.workflows.runner import JobRun, Run, run_workflow

PUSH = Event("push")
JOB = "pipeline/pipeline"
RUN = "Run the pipeline"


def push(github: GitHub, sha: str) -> Run:
    """Run the workflow for a commit on a machine of its own."""
    github.sha = sha
    github.work = github.work / f"{sha[:6]}-{len(list(github.work.glob('*')))}"
    return run_workflow("main.yml", github, PUSH)


def exit_code(job: JobRun) -> int | None:
    return job.step(RUN).code


def test_a_good_commit_passes_and_registers_once_however_often_its_job_runs(
    connected: GitHub, account: Account
) -> None:
    executions, packages = account.executions(), account.packages()
    run = push(connected, "a" * 40)
    assert run.result == "success", run[JOB].log
    assert "Registered" in run[JOB].summary
    (package,) = set(account.packages()) - set(packages)
    assert package.rpartition("/")[2] in run[JOB].summary
    again = push(connected, "a" * 40)
    assert again.result == "success", again[JOB].log
    assert "this commit has this run already" in again[JOB].log
    assert len(account.executions()) == len(executions) + 1
    assert len(account.packages()) == len(packages) + 1
    assert account.proxy.calls["StartPipelineExecution"] == 1
    assert run["pipeline/not-set-up"].result == "skipped"


def test_a_rejected_model_fails_the_job_and_its_summary_says_why(
    connected: GitHub, account: Account, commit: Commit
) -> None:
    packages = account.packages()
    connected.source = commit(threshold=0.99)
    run = push(connected, "b" * 40)
    assert run.result == "failure"
    assert exit_code(run[JOB]) == 3
    assert "Rejected" in run[JOB].summary
    assert "threshold of 0.99" in run[JOB].summary
    assert account.packages() == packages


def test_throttled_requests_and_dropped_connections_do_not_end_a_run(connected: GitHub, account: Account) -> None:
    executions, packages = account.executions(), account.packages()
    account.proxy.throttled.update(StartPipelineExecution=1, ListPipelineExecutionSteps=1)
    account.proxy.dropped.update(DescribePipeline=1, DescribePipelineExecution=1)
    account.proxy.lost.update(StartPipelineExecution=1)
    run = push(connected, "c" * 40)
    assert run.result == "success", run[JOB].log
    # The request whose answer was lost had started an execution; with the same token the next one gets that again.
    assert account.proxy.calls["StartPipelineExecution"] == 3
    assert len(account.executions()) == len(executions) + 1
    assert len(account.packages()) == len(packages) + 1


def test_an_execution_that_somebody_stops_fails_the_job_and_says_so(
    connected: GitHub, account: Account, commit: Commit
) -> None:
    packages = account.packages()
    # Another threshold, so that a job has to run.
    connected.source = commit(threshold=0.85002)
    account.proxy.before["DescribePipelineExecution"] = account.stop
    run = push(connected, "d" * 40)
    assert run.result == "failure"
    assert exit_code(run[JOB]) == 1
    assert "Stopped" in run[JOB].summary
    assert "the execution was stopped" in run[JOB].log
    assert account.packages() == packages


def test_a_fresh_copy_of_the_repository_is_not_red_and_says_what_to_set(github: GitHub) -> None:
    run = push(github, "e" * 40)
    assert run.result == "success"
    assert run[JOB].result == "skipped"
    assert "::notice" in run["pipeline/not-set-up"].log
    assert "docs/github.md" in run["pipeline/not-set-up"].log


@pytest.mark.parametrize("missing", ["AWS_REGION", "SAGEMAKER_PIPELINE_ROLE_ARN"])
def test_a_variable_that_was_forgotten_is_named_before_anything_runs(connected: GitHub, missing: str) -> None:
    connected.variables = {name: value for name, value in connected.variables.items() if name != missing}
    run = push(connected, "f" * 40)
    assert run.result == "failure"
    assert f"set the repository variable {missing}" in run[JOB].log
    assert {step.result for step in run[JOB].steps[1:]} <= {"skipped", "success"}
    assert run[JOB].step(RUN).result == "skipped"
