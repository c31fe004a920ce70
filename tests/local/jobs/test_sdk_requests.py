"""Requests that the SDK itself makes, in its source-code mode: its shell scripts and drivers run as they are."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import pipelines.local
from pipelines.local.containers.stop import Stop
from pipelines.local.jobs import processing, training
from pipelines.local.jobs.machine import Machine
from tests.local.documents import BUCKET, ROLE, SKLEARN, XGBOOST
from tests.local.jobs.job_requests import put

QUIET = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
TRAIN = """
    import json, os, sys
    from helper import VALUE
    data = open(os.environ["SM_CHANNEL_TRAIN"] + "/a.csv").read()
    json.dump([sys.argv[1:], VALUE, data, os.getcwd()], open("/opt/ml/model/seen.json", "w"))
    print("score=0.5;")
"""


@pytest.fixture
def sdk(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The SDK's session for pipelines, whose S3 is the machine's."""
    for name, value in {"DEFAULT_REGION": "us-east-1", "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    boto = pipelines.local.session(machine.root, region="us-east-1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Imported here: it takes seconds, and warns.
        from sagemaker.core.workflow.pipeline_context import PipelineSession  # noqa: PLC0415

        yield PipelineSession(boto_session=boto, sagemaker_config=QUIET)
    boto.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text(dedent(TRAIN))
    (folder / "helper.py").write_text("VALUE = 'helped'")
    return folder


def source_code_request(machine: Machine, sdk: Any, source: Path, **more: Any) -> dict[str, Any]:
    """Return the request of a ModelTrainer with SourceCode."""
    from sagemaker.core.shapes import OutputDataConfig  # noqa: PLC0415 -- as above
    from sagemaker.mlops.workflow.steps import TrainingStep  # noqa: PLC0415
    from sagemaker.train import ModelTrainer  # noqa: PLC0415
    from sagemaker.train.configs import Compute, InputData, SourceCode  # noqa: PLC0415

    put(machine, "in/a.csv", "1,2")
    trainer = ModelTrainer(
        training_image=XGBOOST,
        sagemaker_session=sdk,
        role=ROLE,
        base_job_name="source-code",
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=30),
        source_code=SourceCode(source_dir=str(source), entry_script="train.py", **more),
        hyperparameters={"epochs": 3, "learning-rate": 0.1, "name": "two words"},
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/models"),
    )
    data = InputData(channel_name="train", data_source=f"s3://{BUCKET}/in/")
    arguments: dict[str, Any] = dict(TrainingStep(name="Train", step_args=trainer.train([data], wait=False)).arguments)
    arguments.pop("TrainingJobName", None)
    return arguments


def run(machine: Machine, request: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Run a training job; return its description and its log."""
    training.create(machine, "job", request)
    description = training.run(machine, "job", Stop())
    return description, (machine.root / "logs/aws/sagemaker/TrainingJobs/job/algo-1.log").read_text()


def test_source_code_mode_runs_as_the_sdk_made_it(machine: Machine, sdk: Any, source: Path) -> None:
    (source / "requirements.txt").write_text("pandas\n")
    request = source_code_request(machine, sdk, source, requirements="requirements.txt")
    assert request["AlgorithmSpecification"]["ContainerEntrypoint"] == ["/bin/bash"]

    description, log = run(machine, request)

    assert description["TrainingJobStatus"] == "Completed", log
    assert "Requirements already satisfied" in log
    assert "score=0.5;" in log
    with machine.store.open(BUCKET, "models/job/output/model.tar.gz") as archive:
        assert archive.read()
    assert "--epochs 3 --learning-rate 0.1 --name two words" in log


def test_source_code_that_fails_is_reported_by_the_drivers_failure_file(
    machine: Machine, sdk: Any, source: Path
) -> None:
    (source / "train.py").write_text("raise RuntimeError('too few rows')")

    description, log = run(machine, source_code_request(machine, sdk, source))

    assert description["TrainingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("AlgorithmError: Traceback")
    assert "RuntimeError: too few rows" in log


def test_source_code_with_an_unmet_requirement_fails(machine: Machine, sdk: Any, source: Path) -> None:
    (source / "requirements.txt").write_text("no-such-package==3\n")

    description, log = run(machine, source_code_request(machine, sdk, source, requirements="requirements.txt"))

    assert description["TrainingJobStatus"] == "Failed"
    assert "'no-such-package==3' is not installed" in log


def test_a_framework_processor_runs_as_the_sdk_made_it(machine: Machine, sdk: Any, source: Path) -> None:
    from sagemaker.core.processing import FrameworkProcessor  # noqa: PLC0415 -- as above
    from sagemaker.mlops.workflow.steps import ProcessingStep  # noqa: PLC0415

    (source / "process.py").write_text("import sys\nfrom helper import VALUE\nprint(sys.argv[1:], VALUE)\n")
    (source / "requirements.txt").write_text("pandas\n")
    processor = FrameworkProcessor(
        image_uri=SKLEARN, role=ROLE, instance_type="ml.m5.large", instance_count=1, sagemaker_session=sdk
    )
    given = processor.run(code="process.py", source_dir=str(source), arguments=["--mode", "fast"])
    request = dict(ProcessingStep(name="Process", step_args=given).arguments)
    request.pop("ProcessingJobName", None)

    processing.create(machine, "job", request)
    description = processing.run(machine, "job", Stop())

    log = (machine.root / "logs/aws/sagemaker/ProcessingJobs/job/algo-1.log").read_text()
    assert description["ProcessingJobStatus"] == "Completed", log
    assert "['--mode', 'fast'] helped" in log
