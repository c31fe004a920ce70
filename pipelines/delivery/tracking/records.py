"""What is to be known of one run of an experiment, before MLflow hears of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]

_STATUSES: dict[str, Status] = {
    "Succeeded": "FINISHED",
    "Completed": "FINISHED",
    "Failed": "FAILED",
    "Stopped": "KILLED",
}


@dataclass(frozen=True)
class Measured:
    """A metric's value and when it was known."""

    value: float
    at: datetime | None = None


@dataclass(frozen=True)
class Record:
    """A run: key is the ARN that it is found by again, files are texts by their path, note is Markdown."""

    key: str
    kind: str
    name: str
    status: Status
    started: datetime | None = None
    ended: datetime | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Measured] = field(default_factory=dict)
    tags: Mapping[str, str | None] = field(default_factory=dict)
    note: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    children: tuple["Record", ...] = ()


def status_of(service_status: str) -> Status:
    """Return MLflow's word for the status of a job or an execution."""
    return _STATUSES.get(service_status, "RUNNING")
