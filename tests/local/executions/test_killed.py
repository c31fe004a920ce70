"""Executions whose process is killed, and roots that several processes use."""

import itertools
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.session import session as local_session
from tests.local.conftest import Client, Execution, Pipeline
from tests.local.documents import definition, output_of, shell

RUN = """
import sys
from pipelines.local.session import session
from tests.local.conftest import Pipeline
sagemaker = session(sys.argv[1]).client("sagemaker")
pipeline = Pipeline.__new__(Pipeline)
pipeline.name, pipeline._sagemaker = "pipeline", sagemaker
arn = pipeline.start()
print(arn, flush=True)
pipeline.wait(arn)
"""
SLOW_TAIL = [
    shell("Quick", "echo 1 > /opt/ml/processing/out/one", outputs=["out"], cache="P7D"),
    shell("Slow", "sleep 2718", inputs={"data": output_of("Quick", "out")}, cache="P7D"),
]


def runner(root: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", RUN, str(root)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def other(root: Path) -> Iterator[Client]:
    """A second session on the same root."""
    made = local_session(root)
    yield made.client("sagemaker")
    made.close()


def sleepers() -> int:
    """Count the processes of jobs that sleep."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return listed.splitlines().count("sleep 2718")


def test_a_killed_execution_shows_up_as_failed_and_its_finished_steps_are_reused(
    create: Any, root: Path, other: Client
) -> None:
    create(definition(*SLOW_TAIL))
    with runner(root) as process:
        arn = first_line(process)
        execution = Execution(other, arn)
        execution.wait_for(lambda _, steps: sleepers() > 0)
        process.send_signal(signal.SIGKILL)
    execution.wait_for(lambda status, _: status != "Executing")
    assert execution.status == "Failed"
    assert execution.statuses == {"Quick": "Succeeded", "Slow": "Failed"}
    assert "The process that ran this execution ended before it did" in execution.steps["Slow"]["FailureReason"]
    job = execution.steps["Slow"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    assert other.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"] == "Failed"
    other.update_pipeline(PipelineName="pipeline", PipelineDefinition=definition(SLOW_TAIL[0]))
    pipeline = Pipeline.__new__(Pipeline)
    pipeline.name, pipeline._sagemaker = "pipeline", other
    assert pipeline.run().cached == {"Quick"}
    assert list((root / "jobs").glob("*/*")) == []
    while sleepers():
        pass


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_at_any_moment_leaves_a_root_that_works(create: Any, root: Path, other: Client, seed: int) -> None:
    steps = [shell(f"S{n}", "date > /opt/ml/processing/out/d", outputs=["out"], cache="P7D") for n in range(6)]
    for before, after in itertools.pairwise(steps):
        after["DependsOn"] = [before["Name"]]
    create(definition(*steps))
    with runner(root) as process:
        arn = first_line(process)
        finished = random.Random(seed).randrange(6)
        execution = Execution(other, arn)
        execution.wait_for(lambda _, shown: sum(s["StepStatus"] == "Succeeded" for s in shown.values()) >= finished)
        process.send_signal(signal.SIGKILL)
    execution.wait_for(lambda status, _: status != "Executing")
    succeeded = {name for name, status in execution.statuses.items() if status == "Succeeded"}
    pipeline = Pipeline.__new__(Pipeline)
    pipeline.name, pipeline._sagemaker = "pipeline", other
    again = pipeline.run()
    assert again.status == "Succeeded"
    assert succeeded <= again.cached
    assert list((root / "tmp").glob("*")) == []


FORGET = """
import sys
from pipelines.local.session import session
print(session(sys.argv[1]).client("sagemaker").start_pipeline_execution(PipelineName="pipeline")["PipelineExecutionArn"])
"""


def test_a_process_that_ends_stops_what_it_runs_and_says_so(create: Any, root: Path, other: Client) -> None:
    create(definition(*SLOW_TAIL))
    command = [sys.executable, "-c", FORGET, str(root)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60)
    assert done.stderr.splitlines() == [
        "1 running executions were stopped, for their process ended: wait for them next time"
    ]
    assert Execution(other, done.stdout.strip()).status == "Stopped"


def test_an_execution_can_be_stopped_from_another_process(create: Any, root: Path, other: Client) -> None:
    create(definition(*SLOW_TAIL))
    with runner(root) as process:
        arn = first_line(process)
        execution = Execution(other, arn).wait_for(lambda _, steps: "Slow" in steps)
        other.stop_pipeline_execution(PipelineExecutionArn=arn)
        assert process.wait(timeout=60) == 0
    execution.refresh()
    assert execution.status == "Stopped"
    assert execution.statuses == {"Quick": "Succeeded", "Slow": "Stopped"}


def test_an_execution_of_a_living_process_is_left_alone(create: Any, root: Path, other: Client) -> None:
    create(definition(*SLOW_TAIL))
    with runner(root) as process:
        arn = first_line(process)
        third = local_session(root)
        execution = Execution(third.client("sagemaker"), arn).wait_for(lambda _, steps: "Slow" in steps)
        assert execution.status == "Executing"
        other.stop_pipeline_execution(PipelineExecutionArn=arn)
        process.wait(timeout=60)
    third.close()


def test_two_processes_run_on_one_root_at_once(create: Any, root: Path, other: Client) -> None:
    steps = [shell(f"S{n}", "date > /opt/ml/processing/out/d", outputs=["out"]) for n in range(4)]
    create(definition(*steps))
    with runner(root) as one, runner(root) as two:
        arns = {first_line(one), first_line(two)}
        assert one.wait(timeout=120) == two.wait(timeout=120) == 0
    assert len(arns) == 2
    for arn in arns:
        assert Execution(other, arn).statuses == dict.fromkeys(["S0", "S1", "S2", "S3"], "Succeeded")
