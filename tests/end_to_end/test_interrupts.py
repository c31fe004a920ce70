"""Runs that are interrupted from the keyboard or killed."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.local.session import session
from tests.end_to_end.conftest import Shell
from tests.local.documents import definition, shell


@pytest.fixture
def slow(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A run that has come to a step that takes very long."""
    local = Shell(tmp_path / "root", tmp_path / "work")
    file = tmp_path / "slow.json"
    file.write_text(definition(shell("Quick", cache="P7D"), shell("Slow", "sleep 3141", DependsOn=["Quick"])))
    process = subprocess.Popen(
        local.command("--definition", file),
        cwd=local.folder,
        env={**local.environment(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while "Slow: running" not in process.stdout.readline():
        assert process.poll() is None
    yield process
    process.kill()
    process.communicate()


def sleepers() -> int:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return listed.splitlines().count("sleep 3141")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_the_run_and_its_jobs(
    slow: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals
) -> None:
    slow.send_signal(number)
    _, error = slow.communicate(timeout=60)
    assert slow.returncode == 1
    assert "Traceback" not in error
    assert sleepers() == 0
    opened = session(tmp_path / "root")
    client = opened.client("sagemaker")
    execution = client.list_pipeline_executions(PipelineName="slow")["PipelineExecutionSummaries"][0]
    assert execution["PipelineExecutionStatus"] == "Stopped"
    opened.close()


def test_a_killed_run_is_failed_for_the_next_one_which_reuses_what_was_finished(
    slow: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    slow.kill()
    slow.communicate(timeout=60)
    file = tmp_path / "slow.json"
    file.write_text(definition(shell("Quick", cache="P7D"), shell("Slow", "true", DependsOn=["Quick"])))
    done = Shell(tmp_path / "root", tmp_path / "work").run("--definition", file)
    assert done.code == 0, done.error
    assert done.cached == {"Quick"}
    opened = session(tmp_path / "root")
    client = opened.client("sagemaker")
    found = client.list_pipeline_executions(PipelineName="slow")["PipelineExecutionSummaries"]
    assert [execution["PipelineExecutionStatus"] for execution in found] == ["Succeeded", "Failed"]
    opened.close()
    while sleepers():
        pass
