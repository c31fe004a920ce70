"""Places to write to, places to look at, errors of AWS in words, and the default bucket."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError
from moto import mock_aws

from pipelines.delivery.aws_errors import explain
from pipelines.delivery.bucket import default_bucket
from pipelines.delivery.errors import UsageError
from pipelines.delivery.files import check_target, write_text
from pipelines.delivery.interrupt import interrupts
from pipelines.delivery.places import Places
from pipelines.delivery.snapshot import Step, Trials

ARN = "arn:aws:sagemaker:us-east-1:000000000000:training-job/pipelines-abc-Train-xyz"
TWO_SIGNALS = """
import os, signal
from pipelines.delivery.interrupt import interrupts
with interrupts() as interrupt:
    os.kill(os.getpid(), signal.SIGTERM)
    assert interrupt.wait(10)
    os.kill(os.getpid(), signal.SIGINT)
    print("never")
"""


@pytest.mark.parametrize("name", ["", "missing/outcome.json"])
def test_a_file_needs_a_folder_that_exists(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"--json .*: name a file in a folder that exists"):
        check_target(tmp_path / name, "--json")


def test_a_file_in_an_existing_folder_is_fine(tmp_path: Path) -> None:
    check_target(tmp_path / "outcome.json", "--json")
    assert list(tmp_path.iterdir()) == []


def test_a_written_file_can_be_read_by_others(tmp_path: Path) -> None:
    write_text("é\n", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"\xc3\xa9\n"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644


def test_logs_are_files_here_and_log_streams_in_aws() -> None:
    step = Step("Train", "Training", "Failed", arn=ARN)
    local = "root/logs/aws/sagemaker/TrainingJobs/pipelines-abc-Train-xyz/algo-1.log"
    assert Places(Path("root")).log(step) == local
    assert Places().log(step) == "/aws/sagemaker/TrainingJobs/pipelines-abc-Train-xyz"


def test_a_transform_jobs_log_is_among_those_of_its_kind() -> None:
    step = Step("Score", "Transform", "Failed", arn="arn:aws:sagemaker:us-east-1:1:transform-job/score-claims")
    assert Places(Path("root")).log(step) == "root/logs/aws/sagemaker/TransformJobs/score-claims/algo-1.log"
    assert Places().log(step) == "/aws/sagemaker/TransformJobs/score-claims"


def test_the_commands_that_show_files_quote_their_paths() -> None:
    step = Step("Train", "Training", "Failed", arn=ARN)
    here = Places(Path("my root"))
    log = "my root/logs/aws/sagemaker/TrainingJobs/pipelines-abc-Train-xyz/algo-1.log"
    assert here.show_log(step) == f"tail -n 50 '{log}'"
    assert here.show_artifact("s3://bucket/report.json") == "cat 'my root/s3/bucket/report.json'"


def test_a_tuning_steps_log_is_that_of_its_best_trial() -> None:
    step = Step("Tune", "Tuning", "Succeeded", arn=ARN, trials=Trials(5, 0, 0, 5, "auc", 0.9, "tune-003"))
    assert Places().log(step) == "/aws/sagemaker/TrainingJobs/tune-003"


@pytest.mark.parametrize(
    "step",
    [
        Step("Gate", "Condition", "Succeeded", outcome=True),
        Step("Register", "RegisterModel", "Succeeded", arn="arn:aws:sagemaker:r:a:model-package/g/1"),
        Step("Train", "Training", "Starting"),
        Step("Tune", "Tuning", "Failed", arn=ARN, trials=Trials(0, 0, 5, 5, None, None, None)),
    ],
)
def test_a_step_without_a_job_has_no_log(step: Step) -> None:
    assert Places().log(step) is None
    assert Places(Path("root")).show_log(step) is None


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not\nyours."}}, "CreatePipeline"),
            "AccessDeniedException in CreatePipeline: not yours. Next: allow this role the operation in IAM",
        ),
        (
            ClientError({"Error": {"Code": "Odd", "Message": "?"}}, "StartPipelineExecution"),
            "Odd in StartPipelineExecution: ?. Next: see the message; --verbose shows the traceback",
        ),
        (
            ClientError(
                {"Error": {"Code": "ValidationException", "Message": "X (or Y) is 2. Set it to 1. (step 'A(b)')"}},
                "Start",
            ),
            "ValidationException in Start: X (or Y) is 2. Set it to 1 (step 'A(b)'). "
            "Next: correct what the message names and run the same command again",
        ),
        (
            NoRegionError(),
            "NoRegionError: You must specify a region. Next: set AWS_DEFAULT_REGION, or run with --local",
        ),
        (
            EndpointConnectionError(endpoint_url="https://x"),
            'EndpointConnectionError: Could not connect to the endpoint URL: "https://x". '
            "Next: check the region and the network, or run with --local",
        ),
    ],
)
def test_an_error_of_aws_is_one_line_with_the_way_out(error: Exception, line: str) -> None:
    assert explain(error) == line


def test_missing_credentials_say_how_to_get_some() -> None:
    assert "run with --local" in (explain(NoCredentialsError()) or "")


def test_an_error_of_another_kind_is_not_explained() -> None:
    assert explain(ValueError("x")) is None


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_the_default_bucket_is_made_once(region: str) -> None:
    with mock_aws():
        session = boto3.Session("AKIA", "secret", region_name=region)
        names = {default_bucket(session), default_bucket(session)}
        (bucket,) = session.client("s3").list_buckets()["Buckets"]
    assert names == {bucket["Name"]} == {f"sagemaker-{region}-123456789012"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_only_asks(number: int) -> None:
    before = signal.getsignal(number)
    with interrupts() as interrupt:
        assert not interrupt.is_set()
        os.kill(os.getpid(), number)
        assert interrupt.wait(10)
    assert signal.getsignal(number) is before


def test_the_second_signal_leaves_at_once() -> None:
    answer = subprocess.run([sys.executable, "-c", TWO_SIGNALS], check=False, capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (128 + signal.SIGINT, "")
    assert answer.stderr == "\nleft at once: what was running may go on\n"


def test_outside_the_main_thread_no_handler_is_set() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
