"""The last lines of the log of a step that failed, or of an endpoint: from a file, or from CloudWatch Logs."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.delivery.gate import says_rejected
from pipelines.delivery.places import Places
from pipelines.delivery.snapshot import Execution, Step
from pipelines.delivery.wording import one_line

if TYPE_CHECKING:
    import boto3

LINES = 20
ENDPOINT_LINES = 200
_BYTES = 64 * 1024
_STREAMS = 50


@dataclass(frozen=True)
class Tail:
    """The end of a log; without lines, the problem says in a few words why there are none."""

    place: str
    lines: tuple[str, ...] = ()
    problem: str | None = None


def read_tails(session: boto3.Session, execution: Execution, places: Places) -> Mapping[str, Tail]:
    """Return the end of each broken step's log, by the step's name; what cannot be read is said, never raised."""
    found: dict[str, Tail] = {}
    for step in execution.steps:
        if step.status != "Failed" or says_rejected(step):
            continue
        place = places.log(step) or _failed_trial(session, step, places)
        if place:
            found[step.name] = _file(place) if places.root else _stream(session, place)
    return found


def read_endpoint_tails(
    session: boto3.Session, endpoint: str, variants: Sequence[str], places: Places
) -> Mapping[str, Tail]:
    """Return the end of the log of each variant's containers, and on this machine of the endpoint's own process."""
    place = places.endpoint_logs(endpoint)
    if places.root is None:
        return {name: _stream(session, f"{place}/{name}") for name in variants}
    return {name: _file(str(Path(place, f"{name}.log")), ENDPOINT_LINES) for name in ("endpoint", *variants)}


@contextmanager
def open_log(place: str) -> Iterator[BinaryIO]:
    """Open a log; a pipe in its place, into which nobody may ever write, is not waited for.

    Raises:
        OSError: there is none that can be read.
    """
    with open(place, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", place)
        yield file


def _without_waiting(place: str, flags: int) -> int:
    return os.open(place, flags | os.O_NONBLOCK)


def _failed_trial(session: boto3.Session, step: Step, places: Places) -> str | None:
    """Return the log of a tuning job's trial that failed, where there is no best one to show."""
    if step.type != "Tuning" or not step.job:
        return None
    try:
        trials = session.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=step.job, StatusEquals="Failed", MaxResults=1
        )["TrainingJobSummaries"]
    except (BotoCoreError, ClientError):
        return None
    return places.job_log("Training", trials[0]["TrainingJobName"]) if trials else None


def _file(place: str, most: int = LINES) -> Tail:
    try:
        with open_log(place) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError as error:
        return Tail(place, problem=f"cannot be read: {error.strerror}")
    return _tail(place, lines, most)


def _stream(session: boto3.Session, place: str) -> Tail:
    group, _, job = place.rpartition("/")
    try:
        return _tail(place, _events(session.client("logs"), group, job))
    except (BotoCoreError, ClientError) as error:
        code = error.response["Error"].get("Code") if isinstance(error, ClientError) else None
        return Tail(place, problem=f"cannot be read: {code or type(error).__name__}")


def _events(client: Any, group: str, job: str) -> list[str]:
    # The slash keeps out jobs whose names only begin the same.
    streams = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/", limit=_STREAMS)
    latest = max(streams["logStreams"], key=lambda stream: stream.get("lastEventTimestamp", 0), default=None)
    if latest is None:
        return []
    events = client.get_log_events(
        logGroupName=group, logStreamName=latest["logStreamName"], limit=LINES, startFromHead=False
    )
    return [event["message"] for event in events["events"]]


def _tail(place: str, lines: list[str], most: int = LINES) -> Tail:
    told = [text for line in lines if (text := one_line(line))]
    return Tail(place, tuple(told[-most:]), None if told else "is empty")
