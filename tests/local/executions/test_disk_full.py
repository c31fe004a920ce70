"""Executions on a disk that is full: what cannot be written down is repaired when it can be."""

import json
from pathlib import Path

from pipelines.local.executions.recovery import REASON
from tests.local.small_disk import run_on_small_disk

# The job fills the disk outside of its own folder, and leaves nothing there: it is removed before its end is written.
PROGRAM = """
    import json, os, subprocess, sys
    from pathlib import Path
    from botocore.exceptions import ClientError
    from pipelines.local.session import session
    from tests.local.conftest import Execution, Pipeline
    from tests.local.documents import definition, shell

    root, way = Path(sys.argv[1]), sys.argv[2]
    first = session(root)
    client = first.client("sagemaker")
    wait = f"cd {root}; until [ -d asleep ]; do sleep 0.01; done"
    fill = "mkdir once && rm -r /opt/ml/config && dd if=/dev/zero of=fill bs=4k 2> /dev/null"
    steps = shell("Fill", f"{wait}; {fill}; true"), shell("Sleep", f"mkdir {root}/asleep && sleep 3141; true")
    pipeline = Pipeline(client, "pipeline", definition(*steps))
    arn = pipeline.start()
    said = ""
    while not said:
        try:
            client.describe_pipeline_execution(PipelineExecutionArn=arn)
        except ClientError as error:
            said = str(error)
    if way == "another session":
        first.close()
    (root / "fill").unlink()
    if way == "another session":
        client = session(root).client("sagemaker")
    execution = Execution(client, arn)
    (job,) = client.list_processing_jobs(NameContains="Fill")["ProcessingJobSummaries"]
    while "sleep 3141" in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout.splitlines():
        pass
    described = client.describe_processing_job(ProcessingJobName=job["ProcessingJobName"])
    client.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="t" * 32)
    retried = Execution(client, arn).wait_for(lambda status, _: status != "Executing").status
    seen = [execution.status, execution.steps["Fill"], described["ProcessingJobStatus"], described["FailureReason"]]
    print(json.dumps([said, *seen, retried], default=str), flush=True)
    os._exit(0)
"""


def test_a_job_whose_end_does_not_fit_on_the_disk_is_failed_when_it_does_and_others_are_ended(
    tmp_path: Path,
) -> None:
    said, status, step, job_status, reason, retried = json.loads(run_on_small_disk(tmp_path, PROGRAM, "same session"))

    full = f"cannot write {tmp_path}/state.sqlite: database or disk is full; free some space on its disk"
    assert said.endswith(full)
    assert (status, step["StepStatus"], job_status) == ("Failed", "Failed", "Failed")
    assert step["FailureReason"] == reason == f"InternalServerError: {full}"
    assert retried == "Succeeded"


def test_another_session_finds_the_job_too(tmp_path: Path) -> None:
    _, status, step, job_status, reason, retried = json.loads(run_on_small_disk(tmp_path, PROGRAM, "another session"))

    assert (status, step["StepStatus"], job_status) == ("Failed", "Failed", "Failed")
    assert step["FailureReason"] == reason == REASON
    assert retried == "Succeeded"
