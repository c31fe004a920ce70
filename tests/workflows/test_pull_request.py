"""A pull request is checked and judged without an AWS account, and told so in one comment."""

import xml.etree.ElementTree as ET
from pathlib import Path

from pipelines.delivery.report.markdown import MARKER
from tests.workflows.conftest import Commit
from tests.workflows.github import GitHub, pull_request
from tests.workflows.github_api import GitHubApi
from tests.workflows.runner import Run, run_workflow


def test_a_good_pull_request_passes_and_gets_its_report(first_pull_request: tuple[Run, GitHub, GitHubApi]) -> None:
    run, github, api = first_pull_request
    assert run.result == "success", run["pipeline"].log
    assert {name: job.result for name, job in run.items()} == dict.fromkeys(
        ("checks", "pipeline", "comment"), "success"
    )
    assert "REGISTERED" in run["pipeline"].log
    report = (github.artifacts / "pipeline-report" / "report" / "report.md").read_text()
    assert run["pipeline"].summary == report
    (comment,) = api.comments[7]
    assert comment["body"] == report
    assert report.startswith(f"{MARKER}\n")
    assert (github.artifacts / "pipeline-report" / "outcome.json").is_file()


def test_the_checks_are_the_tasks_of_the_makefile(first_pull_request: tuple[Run, GitHub, GitHubApi]) -> None:
    log = first_pull_request[0]["checks"].log
    for called in ("ruff format --check .", "ruff check .", "mypy", "lint-imports", "pytest -n auto"):
        assert f"\n{called}" in log


def test_the_next_run_rewrites_its_own_comment_and_no_other(github: GitHub, api: GitHubApi, state: Path) -> None:
    github.state = state
    impostor = api.add(7, f"{MARKER}\nmine", login="stranger")
    others = [api.add(7, "a review", login="colleague"), api.add(7, "coverage")]
    ours = api.add(7, f"{MARKER}\nearlier")
    run = run_workflow("pull-request.yml", github, pull_request())
    assert run.result == "success", run["pipeline"].log + run["comment"].log
    assert "Registered" in ours["body"]
    assert api.comments[7] == [impostor, *others, ours]
    assert [impostor["body"], *(other["body"] for other in others)] == [f"{MARKER}\nmine", "a review", "coverage"]


def test_a_rejected_model_fails_the_job_with_the_reason_in_summary_and_comment(
    github: GitHub, api: GitHubApi, commit: Commit, state: Path
) -> None:
    github.source, github.state = commit(threshold=0.99), state
    run = run_workflow("pull-request.yml", github, pull_request())
    assert run.result == "failure"
    assert run["pipeline"].step("Run the pipeline on this machine").code == 3
    assert "Rejected" in run["pipeline"].summary
    assert "0.99" in run["pipeline"].summary
    assert run["comment"].result == "success", run["comment"].log
    assert "Rejected" in api.comments[7][0]["body"]


def test_a_fork_gets_the_verdict_in_the_summary_and_no_token_that_writes(
    github: GitHub, api: GitHubApi, state: Path
) -> None:
    github.state = state
    run = run_workflow("pull-request.yml", github, pull_request(fork=True))
    assert run.result == "success", run["pipeline"].log
    assert "Registered" in run["pipeline"].summary
    assert run["comment"].result == "skipped"
    assert api.calls == []


def test_a_run_that_never_began_leaves_no_report_and_no_comment(github: GitHub, api: GitHubApi, commit: Commit) -> None:
    github.source = commit(threshold=0.85001)
    (github.source / "pipelines" / "fraud" / "pipeline.py").write_text(
        "def get_pipeline():\n    raise ValueError('no')\n"
    )
    run = run_workflow("pull-request.yml", github, pull_request())
    assert run["pipeline"].step("Run the pipeline on this machine").code == 1
    assert run["pipeline"].step("Show the report").result == "skipped"
    assert run["comment"].result == "skipped"
    assert api.calls == []


def test_the_artifact_has_the_verdict_as_a_test_report(first_pull_request: tuple[Run, GitHub, GitHubApi]) -> None:
    _, github, _ = first_pull_request
    suite = ET.parse(github.artifacts / "pipeline-report" / "report" / "report.xml").getroot()
    assert suite.get("failures") == suite.get("errors") == "0"
    assert "gate" in {case.get("name") for case in suite}
