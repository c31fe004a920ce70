"""A disk that is full: the job fails with one clear line, and nothing is there by half."""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.local.small_disk import run_on_small_disk

PROGRAM = """
    import json, sys
    from pathlib import Path
    import botocore.session
    from pipelines.local.containers.host import Host
    from pipelines.local.containers.stop import Stop
    from pipelines.local.database import Database
    from pipelines.local.jobs import processing, training
    from pipelines.local.jobs.machine import Machine
    from pipelines.local.store import Store
    from tests.local.jobs import job_requests as requests

    root, kind, source = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    host, database = Host(), Database(root / "state.db")
    model = botocore.session.get_session().get_service_model("sagemaker")
    machine = Machine(root, Store(root / "s3"), database, host, model, "us-east-1", "000000000000")
    module = training if kind == "training" else processing
    request = requests.script(machine, source) if kind == "training" else requests.processing(machine, source)
    if kind == "input":
        requests.put(machine, "in/large", bytes(5 << 20))
        request["ProcessingInputs"].append(
            requests.s3_input("large", "s3://bucket/in/", "/opt/ml/processing/large")
        )
    module.create(machine, "job", request)
    description = module.run(machine, "job", Stop())
    host.close()
    temporary = [str(path) for path in (root / "tmp").rglob("*") if path.is_file()]
    jobs = [str(path) for path in (root / "jobs").glob("*/*")]
    print(json.dumps([description, requests.keys(machine), temporary + jobs]))
"""


def run_job(folder: Path, kind: str, source: str) -> tuple[dict[str, Any], list[str]]:
    """Run a job on a small disk; return its description and the names of all objects."""
    description, keys, leftovers = json.loads(run_on_small_disk(folder, PROGRAM, kind, source))
    assert leftovers == []
    return description, keys


def test_an_input_that_does_not_fit_fails_the_job(tmp_path: Path) -> None:
    description, keys = run_job(tmp_path, "input", "print('ran')")

    assert description["ProcessingJobStatus"] == "Failed"
    assert "No space left on device" in description["FailureReason"]
    assert "\n" not in description["FailureReason"]
    assert keys == ["code/job.py", "in/large"]


def test_a_script_that_fills_the_disk_fails_the_job(tmp_path: Path) -> None:
    source = "open('/opt/ml/processing/result/file', 'wb', 0).write(bytes(5 << 20) * 2)\nraise OSError('short write')"

    description, keys = run_job(tmp_path, "processing", source)

    assert description["ProcessingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("AlgorithmError: ")
    assert description["FailureReason"].endswith(f"(the disk of {tmp_path} is full; free some space)")
    assert keys == ["code/job.py"]


def test_an_output_that_does_not_fit_is_not_uploaded_by_half(tmp_path: Path) -> None:
    source = """
        for index in range(5):
            open(f"/opt/ml/processing/result/{index}", "wb").write(bytes(1 << 20))
    """

    description, keys = run_job(tmp_path, "processing", dedent(source))

    assert description["ProcessingJobStatus"] == "Failed"
    assert "No space left on device" in description["FailureReason"]
    assert keys == ["code/job.py"]


def test_a_model_that_does_not_fit_is_not_uploaded_by_half(tmp_path: Path) -> None:
    source = "import os; open('/opt/ml/model/model', 'wb').write(os.urandom(5 << 20))"

    description, keys = run_job(tmp_path, "training", source)

    assert description["TrainingJobStatus"] == "Failed"
    assert "No space left on device" in description["FailureReason"]
    assert keys == ["code/sourcedir.tar.gz"]
