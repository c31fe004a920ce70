"""The fraud pipeline from end to end: both branches, the gate, the cache, and data of one's own."""

import json
import tarfile
from pathlib import Path

import pytest

from pipelines.fraud.dataset import write
from pipelines.fraud.settings import PIPELINE_NAME
from pipelines.local.session import session
from tests.end_to_end.conftest import Done, Shell

COMMON = ["Preprocess", "Train", "Evaluate", "AucGate"]
TUNING = ["Tune", "EvaluateTuned", "RegisterTuned", "CreateTunedModel"]
REGISTERING = ["Register", "CreateModel"]


def test_the_first_run_tunes_and_registers_the_tuned_model(first_run: Done) -> None:
    assert first_run.code == 0, first_run.error
    assert first_run.statuses == dict.fromkeys([*COMMON, *TUNING], "Succeeded")
    assert first_run.cached == set()
    verdict = first_run.outcome["verdict"]
    assert verdict["roc_auc"] <= 0.85 < verdict["tuned_roc_auc"]
    assert verdict["trials"]["completed"] == 5
    assert first_run.outcome["outcome"] == "registered"
    assert "REGISTERED" in first_run.output


def test_the_registered_package_holds_the_whole_model_and_its_report(first_run: Done, shared_shell: Shell) -> None:
    opened = session(shared_shell.root)
    package = opened.client("sagemaker").describe_model_package(ModelPackageName=first_run.outcome["model_package_arn"])
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    container = package["InferenceSpecification"]["Containers"][0]
    report = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]

    def local(uri: str) -> Path:
        return shared_shell.root / "s3" / uri.removeprefix("s3://")

    with tarfile.open(local(container["ModelDataUrl"])) as archive:
        names = set(archive.getnames())
    assert {"xgboost-model", "schema.json", "code/inference.py"} <= names
    metrics = json.loads(local(report).read_text())["binary_classification_metrics"]
    assert metrics["auc"]["value"] == pytest.approx(first_run.outcome["verdict"]["tuned_roc_auc"], abs=1e-4)
    opened.close()


def test_a_lower_threshold_takes_the_other_branch_with_everything_before_cached(
    first_run: Done, shared_shell: Shell
) -> None:
    assert first_run.code == 0
    done = shared_shell.run("--parameter", "RocAucThreshold=0.75")
    assert done.code == 0, done.error
    assert done.statuses == dict.fromkeys([*COMMON, *REGISTERING], "Succeeded")
    assert done.cached == {"Preprocess", "Train", "Evaluate"}
    assert done.outcome["verdict"]["roc_auc"] == first_run.outcome["verdict"]["roc_auc"]


def test_a_threshold_that_no_model_reaches_rejects_and_registers_nothing(first_run: Done, shared_shell: Shell) -> None:
    assert first_run.code == 0
    before = packages(shared_shell)
    done = shared_shell.run("--parameter", "RocAucThreshold=0.99")
    assert done.code == 3, done.error
    assert done.outcome["outcome"] == "rejected"
    assert done.statuses["EvaluateTuned"] == "Failed"
    assert done.cached == {"Preprocess", "Train", "Evaluate", "Tune"}
    assert packages(shared_shell) == before
    assert "REJECTED: tuned model's ROC AUC" in done.output
    artifacts, trials = done.outcome["artifacts"], done.outcome["verdict"]["trials"]
    assert trials["best_job"] in artifacts["model"]
    report = shared_shell.root / "s3" / artifacts["evaluation"].removeprefix("s3://")
    auc = json.loads(report.read_text())["binary_classification_metrics"]["auc"]["value"]
    assert auc == pytest.approx(done.outcome["verdict"]["tuned_roc_auc"], abs=1e-4)


def test_a_definition_file_runs_without_the_sdk_and_all_from_the_cache(
    shared_shell: Shell, definition_file: Path
) -> None:
    arguments = ("--definition", definition_file, "--parameter", "RocAucThreshold=0.7")
    done = shared_shell.run(*arguments)
    assert done.code == 0, done.error
    assert done.cached == {"Preprocess", "Train", "Evaluate"}


def test_data_of_ones_own_is_uploaded_once_and_runs(shared_shell: Shell, claims: Path) -> None:
    arguments = ("--input-data", claims, "--parameter", "RocAucThreshold=0.3")
    done = shared_shell.run(*arguments)
    assert done.code == 0, done.error
    assert done.cached == set()
    again = shared_shell.run(*arguments)
    assert again.cached == {"Preprocess", "Train", "Evaluate"}


def test_the_sample_data_given_as_data_of_ones_own_are_the_same_input(
    first_run: Done, shared_shell: Shell, tmp_path: Path
) -> None:
    write(tmp_path)
    done = shared_shell.run("--input-data", tmp_path, "--parameter", "RocAucThreshold=0.75")
    assert done.code == 0, done.error
    assert done.outcome["parameters"]["InputData"] == first_run.outcome["parameters"]["InputData"]
    assert done.cached == {"Preprocess", "Train", "Evaluate"}


def test_data_of_ones_own_leave_the_pipeline_as_it_is(first_run: Done, shared_shell: Shell, claims: Path) -> None:
    assert first_run.code == 0
    done = shared_shell.run("--input-data", claims, "--parameter", "RocAucThreshold=0.3")
    assert f"pipeline {PIPELINE_NAME} unchanged" in done.output


def test_a_mistake_in_the_data_is_told_in_one_line_and_registers_nothing(shared_shell: Shell, claims: Path) -> None:
    before = packages(shared_shell)
    file = claims / "claims.csv"
    file.write_text(file.read_text().replace("incident_type", "incident_kind", 1))
    done = shared_shell.run("--input-data", claims)
    assert done.code == 1
    assert done.outcome["outcome"] == "failed"
    assert "incident_type" in done.outcome["reason"]
    assert done.statuses == {"Preprocess": "Failed"}
    assert packages(shared_shell) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parameter", "RocAucTreshold=0.8"], "RocAucThreshold"),
        (["--parameter", "RocAucThreshold=high"], "high"),
        (["--parameter", "ModelApprovalStatus=Maybe"], "PendingManualApproval"),
        (["--parameter", "RocAucThreshold="], "RocAucThreshold"),
        (["--input-data", "no-such-folder"], "no-such-folder"),
    ],
)
def test_a_mistake_in_the_call_is_told_in_one_line_and_starts_nothing(
    shared_shell: Shell, definition_file: Path, arguments: list[str], message: str
) -> None:
    before = executions(shared_shell)
    done = shared_shell.run("--definition", definition_file, *arguments)
    assert done.code == 2
    assert message in done.error
    assert done.error.count("\n") == 1
    assert executions(shared_shell) == before


@pytest.mark.parametrize("parameter", ["ProcessingInstanceCount", "TrainingInstanceCount"])
def test_more_than_one_instance_is_refused_not_ignored(
    shared_shell: Shell, definition_file: Path, parameter: str
) -> None:
    before = executions(shared_shell)
    done = shared_shell.run("--definition", definition_file, "--parameter", f"{parameter}=2")
    assert done.code == 1
    assert "InstanceCount is 2; this machine runs every job on one instance: set it to 1" in done.error
    assert executions(shared_shell) == before


def packages(shell: Shell) -> int:
    opened = session(shell.root)
    found = opened.client("sagemaker").list_model_packages()["ModelPackageSummaryList"]
    opened.close()
    return len(found)


def executions(shell: Shell) -> int:
    opened = session(shell.root)
    client = opened.client("sagemaker")
    found = client.list_pipeline_executions(PipelineName=PIPELINE_NAME)["PipelineExecutionSummaries"]
    opened.close()
    return len(found)
