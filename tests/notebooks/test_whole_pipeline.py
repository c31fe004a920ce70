"""5.1: the first run tunes, the second registers with all jobs from the cache, the third starts the one job it must."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.delivery.tracking import local_tracking
from pipelines.fraud.settings import BASE_JOB_PREFIX
from tests.delivery.tracking.experiments import Experiments
from tests.notebooks.files import korean
from tests.notebooks.learner import Learner, Seen

NOTEBOOK, DEPLOYMENT = "5.1.All-Pipeline", "6.1.Deploy-Inference"
Steps = dict[str, dict[str, Any]]


def test_the_second_run_takes_the_other_branch_and_every_job_from_the_cache(learner: Learner) -> None:
    seen = learner.run(NOTEBOOK)
    shows_what_happened(learner, seen)
    shows_nested_experiments(learner, seen)
    assert learner.run(DEPLOYMENT, until="approve").text("approve").startswith("1 Approved - ")
    # Once more, in the other language, with an approved version there: all that is said holds again.
    again = learner.run(korean(f"{NOTEBOOK}.ipynb").removesuffix(".ipynb"))
    shows_what_happened(learner, again, versions=["4", "5", "6"])
    shows_nested_experiments(learner, again)
    assert learner.run(DEPLOYMENT, until="approve").text("approve").startswith("1 Approved - ")


def shows_what_happened(learner: Learner, seen: Seen, versions: Sequence[str] = ("1", "2", "3")) -> None:
    first, second, third = executions(learner)
    assert {"Tune", "EvaluateTuned", "RegisterTuned"} <= set(first)
    assert cached(first) == set()
    assert set(second) == {"Preprocess", "Train", "Evaluate", "AucGate", "Register", "CreateModel"}
    assert cached(second) == {"Preprocess", "Train", "Evaluate"}
    assert cached(third) == {"Preprocess", "Train", "Evaluate", "Tune"}
    assert "RegisterTuned" in third
    shows_both_branches(seen)
    shows_what_the_cache_compared(seen)
    assert [row[1:5] for row in seen.rows("registry")] == [
        [versions[0], "PendingManualApproval", "0.9476", "0.85"],
        [versions[1], "PendingManualApproval", "0.8031", "0.75"],
        [versions[2], "PendingManualApproval", "0.9476", "0.82"],
    ]


def shows_nested_experiments(learner: Learner, seen: Seen) -> None:
    """The table has what MLflow has: executions, their jobs below them, trials below the tuning job that ran."""
    shown = [[row[0].count("\u2003"), *row[1:4], row[-1]] for row in seen.rows("experiments")]
    train, cached_train = ([1, "training job", "", state, ""] for state in ("", "cached"))
    assert shown == [
        [0, "execution", "registered", "", "0.9476"],
        train,
        [1, "tuning job", "", "", ""],
        *[[2, "trial", "", "", ""]] * 5,
        [0, "execution", "registered", "", "0.8031"],
        cached_train,
        [0, "execution", "registered", "", "0.9476"],
        cached_train,
        [1, "tuning job", "", "cached", ""],
    ]
    found = Experiments(local_tracking(learner.root))
    runs = found.runs(newest_pipeline(learner))
    assert len(runs) == len(shown)
    assert sum("mlflow.parentRunId" not in run.data.tags for run in runs) == 3


def test_in_aws_the_same_notebook_works_there_and_leaves_this_machine_alone(
    learner: Learner, aws: dict[str, str], tmp_path: Path
) -> None:
    learner.move_to_aws(aws, role="arn:aws:iam::000000000000:role/team", bucket="team-bucket")
    seen = learner.run(NOTEBOOK, until="second")
    assert [row[0] for row in seen.rows("second") if row[2] == "True"] == ["Preprocess", "Train", "Evaluate"]
    assert (tmp_path / "aws" / "s3" / "team-bucket").is_dir()
    assert not learner.root.exists()


def shows_both_branches(seen: Seen) -> None:
    tuned, registered = seen.pictures("first")[0], seen.pictures("second-picture")[0]
    assert "0 of 8 steps took an earlier run" in tuned
    assert "3 of 6 steps took an earlier run" in registered
    assert "threshold 0.85" in seen.pictures("gate")[0]
    rows = {row[0]: row[1:] for row in seen.rows("second")}
    assert {name for name, row in rows.items() if row[1] == row[2] == "True"} == {"Preprocess", "Train", "Evaluate"}
    assert rows["AucGate"][3] == "False"
    first, second = (float(line.split()[1]) for line in seen.text("times").splitlines()[:2])
    assert second < first


def shows_what_the_cache_compared(seen: Seen) -> None:
    compared = seen.text("compared")
    assert f"{BASE_JOB_PREFIX}/data/e8bedd839a73…" in compared.replace("\n", "")
    knows = dict(line.split() for line in seen.text("threshold").splitlines() if line.split()[-1] in ("True", "False"))
    assert [name for name, told in knows.items() if told == "True"] == [
        "AucGate",
        "EvaluateTuned",
        "RegisterTuned",
        "Register",
    ]
    reasons = {row[1]: row[-1] for row in seen.rows("third")}
    assert 'was "0.85", is "0.82"' in reasons["EvaluateTuned"]


def executions(learner: Learner) -> list[Steps]:
    """Return the steps of all executions of the newest pipeline by name, the oldest execution first."""
    name = newest_pipeline(learner)
    with learner.session() as session:
        client = session.client("sagemaker")
        found = client.list_pipeline_executions(PipelineName=name, SortOrder="Ascending")
        arns = [each["PipelineExecutionArn"] for each in found["PipelineExecutionSummaries"]]
        listed = [client.list_pipeline_execution_steps(PipelineExecutionArn=arn) for arn in arns]
    return [{step["StepName"]: dict(step) for step in each["PipelineExecutionSteps"]} for each in listed]


def newest_pipeline(learner: Learner) -> str:
    with learner.session() as session:
        listed = session.client("sagemaker").list_pipelines(SortBy="CreationTime", SortOrder="Descending")
    return listed["PipelineSummaries"][0]["PipelineName"]


def cached(steps: Steps) -> set[str]:
    return {name for name, step in steps.items() if "CacheHitResult" in step}
