"""The report of runs as a person has them, from the command to its files."""

import subprocess
import sys
from pathlib import Path

from pipelines.local.session import session
from tests.delivery.report.page import Page
from tests.end_to_end.conftest import Done, Shell

FILES = ["report.html", "report.md", "report.xml"]


def test_a_registered_model_is_reported_and_the_reports_command_approves_it(
    shared_shell: Shell, first_run: Done, tmp_path: Path
) -> None:
    folder = tmp_path / "report"
    done = shared_shell.run("--report", folder)
    assert (done.code, done.error) == (0, "")
    assert sorted(path.name for path in folder.iterdir()) == FILES
    page = Page((folder / "report.html").read_text()).root
    assert {
        "What the pipeline did",
        "How good the model is",
        "The trials",
        "What the model decides by",
        "Step by step",
        "The run",
    } <= {each.words for each in page.all("h2")}
    assert f"{done.outcome['verdict']['tuned_roc_auc']:.4f}".rstrip("0") in page.all("section")[0].words
    command = page.all("pre")[0].words.strip()
    approval = subprocess.run(
        ["bash", "-c", f'approve-model() {{ "{sys.executable}" -m pipelines.approve_model "$@"; }}; {command}'],
        cwd=shared_shell.folder,
        env=shared_shell.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert approval.returncode == 0, approval.stderr
    opened = session(shared_shell.root)
    arn = done.outcome["model_package_arn"]
    package = opened.client("sagemaker").describe_model_package(ModelPackageName=arn)
    opened.close()
    assert package["ModelApprovalStatus"] == "Approved"


def test_a_rejection_is_reported_in_place_of_an_earlier_run(
    shared_shell: Shell, first_run: Done, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text("the run before")
    done = shared_shell.run("--report", tmp_path, "--parameter", "RocAucThreshold=0.99")
    assert done.code == 3
    assert "⛔ Rejected" in (tmp_path / "report.md").read_text()
    page = (tmp_path / "report.html").read_text().replace("&#x27;", "'")
    assert done.outcome["reason"] in page
    assert "Measured by EvaluateTuned" in page
    assert "has no report" not in page


def test_a_failure_is_reported_with_its_log(shared_shell: Shell, first_run: Done, tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "report"
    data.mkdir()
    (data / "claims.csv").write_text("a,b\n1,2\n")
    done = shared_shell.run("--report", folder, "--input-data", data)
    assert done.code == 1
    text = (folder / "report.md").read_text()
    assert "❌ Failed" in text
    assert "column 'policy_id': is missing" in text
    assert "How good the model is" not in text


def test_a_folder_that_is_a_file_is_refused_before_anything_starts(shared_shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    done = shared_shell.run("--report", file)
    assert done.code == 2
    assert "--report" in done.error
    assert (file.read_text(), list(tmp_path.iterdir())) == ("mine", [file])
