"""The end of the log of a step that failed, from a file and from CloudWatch Logs."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipelines.delivery.logs import ENDPOINT_LINES, LINES, Tail, read_endpoint_tails, read_tails
from pipelines.delivery.places import Places
from pipelines.delivery.snapshot import Execution, Step, Trials
from pipelines.delivery.summary import summarize
from tests.delivery.pipelines import NO_GATE
from tests.delivery.runs import finish, run_of, script
from tests.delivery.scripted import ACCOUNT, EXECUTION, ServiceRefusal, entry, job
from tests.unprivileged import unprivileged_folder

PLACE = "logs/aws/sagemaker/TrainingJobs/train/algo-1.log"
GROUP = "/aws/sagemaker/TrainingJobs"
BROKEN = Step("Train", "Training", "Failed", failure_reason="AlgorithmError", arn=f"{ACCOUNT}:training-job/train")
REJECTED = Step("Evaluate", "Processing", "Failed", exit_message="GateRejected: bad", arn=f"{ACCOUNT}:processing-job/e")
FAILED_ENTRY = entry("Train", "Failed", metadata=job("TrainingJob", "train"), FailureReason="AlgorithmError")


def ended(*steps: Step) -> Execution:
    return Execution(EXECUTION, "Failed", None, None, None, steps)


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    with mock_aws():
        yield boto3.Session("AKIAEXAMPLE", "secret", region_name="us-east-1")


def write(session: boto3.Session, stream: str, *messages: str, later: int = 0, group: str = GROUP) -> None:
    client: Any = session.client("logs")
    if not client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    # Events of long ago are not taken.
    now = int(time.time() * 1000)
    events = [{"timestamp": now + later + number, "message": text} for number, text in enumerate(messages)]
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def tail(session: boto3.Session, step: Step = BROKEN) -> Tail:
    return read_tails(session, ended(step), Places())[step.name]


def test_the_last_lines_of_the_jobs_own_stream_are_shown(session: boto3.Session) -> None:
    write(session, "train/algo-1-1700000000", *(f"line {number}" for number in range(50)))
    write(session, "train-other/algo-1-1700000000", "another job's")
    found = tail(session)
    assert found == Tail(f"{GROUP}/train", tuple(f"line {number}" for number in range(50 - LINES, 50)))


def test_of_several_instances_the_one_that_spoke_last_is_shown(session: boto3.Session) -> None:
    write(session, "train/algo-1-1", "waits")
    write(session, "train/algo-2-1", "No space left on device", later=5_000)
    assert tail(session).lines == ("No space left on device",)


def test_a_job_without_a_stream_or_a_group_says_so(session: boto3.Session) -> None:
    assert tail(session).problem == "cannot be read: ResourceNotFoundException"
    write(session, "other/algo-1-1", "x")
    assert tail(session) == Tail(f"{GROUP}/train", (), "is empty")


def test_a_role_that_may_not_read_logs_has_its_verdict_all_the_same() -> None:
    service = script("Failed", [FAILED_ENTRY], DescribeLogStreams=ServiceRefusal("AccessDeniedException", "not you"))
    result = finish(service, run=run_of(NO_GATE))
    assert result.verdict.reason == "Train failed: AlgorithmError"
    assert result.tails["Train"].problem == "cannot be read: AccessDeniedException"
    assert f"  log of Train: {GROUP}/train cannot be read: AccessDeniedException" in list(
        summarize(result, no_command, str)
    )


def test_a_failure_is_told_with_its_log() -> None:
    said = {"events": [{"message": "ValueError: no column 'fraud'\n", "timestamp": 1, "ingestionTime": 1}]}
    stream = {"logStreamName": "train/algo-1-1", "lastEventTimestamp": 1}
    service = script("Failed", [FAILED_ENTRY], DescribeLogStreams={"logStreams": [stream]}, GetLogEvents=said)
    lines = list(summarize(finish(service, run=run_of(NO_GATE)), no_command, str))
    place = lines.index(f"  log of Train: {GROUP}/train")
    assert lines[place + 1] == "    ValueError: no column 'fraud'"


def test_a_success_asks_for_no_log() -> None:
    service = script()
    assert finish(service).tails == {}
    assert "DescribeLogStreams" not in service.names()


def test_a_rejection_is_no_failure_whose_log_helps(session: boto3.Session) -> None:
    assert read_tails(session, ended(REJECTED), Places()) == {}


def test_a_tuning_job_without_a_best_trial_shows_one_that_failed() -> None:
    trial = {
        "TrainingJobName": "tune-001",
        "TrainingJobArn": f"{ACCOUNT}:training-job/tune-001",
        "CreationTime": 1,
        "TrainingJobStatus": "Failed",
        "TunedHyperParameters": {},
    }
    service = script(
        ListTrainingJobsForHyperParameterTuningJob={"TrainingJobSummaries": [trial]},
        DescribeLogStreams={"logStreams": [{"logStreamName": "tune-001/algo-1-1"}]},
        GetLogEvents={"events": [{"message": "out of memory"}]},
    )
    none_best = Trials(0, 0, 5, 5, None, None, None)
    step = Step("Tune", "Tuning", "Failed", arn=f"{ACCOUNT}:hyper-parameter-tuning-job/tune", trials=none_best)
    assert tail(service.session, step) == Tail(f"{GROUP}/tune-001", ("out of memory",))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / PLACE
    file.parent.mkdir(parents=True)
    return file


def local_tail(log: Path) -> Tail:
    # What is read is a file, so the session is never asked.
    session = boto3.Session("AKIAEXAMPLE", "secret", region_name="us-east-1")
    return read_tails(session, ended(BROKEN), Places(log.parents[5]))["Train"]


def test_the_end_of_a_large_file_is_read_without_the_rest(log: Path) -> None:
    log.write_bytes(b"x" * 10_000_000 + b"\n" + b"".join(b"line %d\n\n" % number for number in range(30)))
    assert local_tail(log) == Tail(str(log), tuple(f"line {number}" for number in range(10, 30)))


def test_what_would_act_on_a_terminal_is_left_out(log: Path) -> None:
    log.write_bytes(b"\x1b[2Jred\x07 \xff\r\n")
    (line,) = local_tail(log).lines
    assert line.isprintable()
    assert "red" in line


def test_a_file_that_is_gone_or_empty_is_said(log: Path) -> None:
    assert local_tail(log).problem == f"cannot be read: {os.strerror(2)}"
    log.write_text("\n")
    assert local_tail(log).problem == "is empty"


def test_a_file_that_may_not_be_read_is_said() -> None:
    with unprivileged_folder() as folder:
        file = folder / PLACE
        file.parent.mkdir(parents=True)
        file.touch(mode=0)
        assert local_tail(file).problem == f"cannot be read: {os.strerror(13)}"


def no_command(parameter: str, value: str) -> None:
    """What to type next is not what is tested here."""


def test_an_endpoint_s_variants_have_each_a_log_of_their_own(session: boto3.Session) -> None:
    group = "/aws/sagemaker/Endpoints/fraud"
    write(session, "blue/i-0123456789", "loaded", "answered", group=group)
    tails = read_endpoint_tails(session, "fraud", ["blue", "green"], Places())
    assert tails == {
        "blue": Tail(f"{group}/blue", ("loaded", "answered")),
        "green": Tail(f"{group}/green", problem="is empty"),
    }


def test_on_this_machine_an_endpoint_s_own_process_has_a_log_too(session: boto3.Session, tmp_path: Path) -> None:
    folder = tmp_path / "logs/aws/sagemaker/Endpoints/fraud"
    folder.mkdir(parents=True)
    (folder / "endpoint.log").write_text("InService\n")
    (folder / "blue.log").write_text("".join(f"line {number}\n" for number in range(5_000)))
    tails = read_endpoint_tails(session, "fraud", ["blue"], Places(tmp_path))
    assert tails["endpoint"].lines == ("InService",)
    assert tails["blue"].lines == tuple(f"line {number}" for number in range(5_000 - ENDPOINT_LINES, 5_000))


def test_a_pipe_in_place_of_a_log_is_not_waited_for(session: boto3.Session, tmp_path: Path) -> None:
    folder = tmp_path / "logs/aws/sagemaker/Endpoints/fraud"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "endpoint.log")
    tails = read_endpoint_tails(session, "fraud", [], Places(tmp_path))
    assert tails["endpoint"].problem == "cannot be read: it is no regular file"
