"""Where a job lives on this machine: its tree, its log, and what goes wrong there."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.local.containers.archives import BadArchive
from pipelines.local.containers.container import Exit
from pipelines.local.containers.files import remove_tree, tail
from pipelines.local.containers.opt_ml import Tree
from pipelines.local.errors import LocalError, StateError
from pipelines.local.jobs.machine import Machine

LOG_FOLDERS = {
    "processing-job": "ProcessingJobs",
    "training-job": "TrainingJobs",
    "transform-job": "TransformJobs",
}
LOG_STREAM = "algo-1.log"
REASON_CHARACTERS = 1024
LAST_LINE_BYTES = 1 << 14
# What is left of a disk on which a write has failed, for who writes little blocks.
FULL_BYTES = 1 << 20
NOTE = "sagemaker-local: "


class JobFailure(LocalError):
    """A job that fails; the message is its FailureReason."""


def log_file(machine: Machine, kind: str, name: str) -> Path:
    """Return the file with all that a job printed."""
    return machine.root / "logs" / "aws" / "sagemaker" / LOG_FOLDERS[kind] / name / LOG_STREAM


def job_folder(machine: Machine, kind: str, name: str) -> Path:
    """Return the folder that a job has while it runs."""
    return machine.root / "jobs" / LOG_FOLDERS[kind] / name


@contextmanager
def job_tree(machine: Machine, kind: str, name: str) -> Iterator[Tree]:
    """Make a job's tree, and remove it at the end.

    Raises:
        JobFailure: whatever failed on the way, as one line; it is the log of a job that did not come to write one.
    """
    folder, log = job_folder(machine, kind, name), log_file(machine, kind, name)
    try:
        with job_failures():
            try:
                (folder / "ml").mkdir(parents=True)
                log.parent.mkdir(parents=True, exist_ok=True)
                yield Tree(folder / "ml")
            finally:
                remove_tree(folder)
    except JobFailure as error:
        if not log.exists():
            # Where not even that can be written, the description still has it.
            with suppress(OSError):
                note(log, str(error))
        raise


@contextmanager
def job_failures() -> Iterator[None]:
    """Raise whatever fails as a JobFailure of one line."""
    try:
        yield
    except JobFailure:
        raise
    except BadArchive as error:
        raise JobFailure(f"ClientError: {error}") from error
    except StateError as error:
        raise JobFailure(f"InternalServerError: {error}") from error
    except LocalError as error:
        raise JobFailure(f"ClientError: {' '.join(str(error).split())}") from error
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        reason = f"InternalServerError: this machine cannot run the job: {error.strerror or error}{where}"
        raise JobFailure(reason) from error


def algorithm_error(machine: Machine, text: str, ended: Exit) -> JobFailure:
    """Return the failure of a container that exited with an error, in the service's words.

    To be asked for before the job's tree is removed, which may be what fills the disk.
    """
    code, prefix = ended.code, "AlgorithmError: "
    if code < 0:
        text, code = f"killed by {signal.Signals(-code).name}; {text}", 128 - code
    hint = ended.hint
    if shutil.disk_usage(machine.root).free < FULL_BYTES:
        hint = f"the disk of {machine.root} is full; free some space"
    suffix = f", exit code: {code}" + (f" ({hint})" if hint else "")
    return JobFailure(f"{prefix}{text[: REASON_CHARACTERS - len(prefix) - len(suffix)]}{suffix}")


def last_line(log: Path) -> str:
    """Return the last line that a job printed, which for Python is the error."""
    lines = [line.strip() for line in tail(log, LAST_LINE_BYTES).splitlines() if line.strip()]
    return lines[-1] if lines else "See job logs for more information"


def note(log: Path, text: str) -> None:
    """Add a line of this machine's own to what a job printed."""
    end = "" if tail(log, 1) in ("", "\n") else "\n"
    with log.open("a", encoding="utf-8") as stream:
        stream.write(f"{end}{NOTE}{text}\n")
