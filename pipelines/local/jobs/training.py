"""Training jobs: from a CreateTrainingJob request to its description."""

from pipelines.local.containers.stop import Stop
from pipelines.local.database import Document
from pipelines.local.jobs.machine import Machine

KIND = "training-job"


def create(machine: Machine, name: str, request: Document) -> Document:
    """Check a request, which has no TrainingJobName, and write down the job as InProgress.

    Raises:
        ServiceError: the request is not allowed, or the name is taken; nothing was written.
    """
    raise NotImplementedError


def run(machine: Machine, name: str, stop: Stop) -> Document:
    """Run a created job to its end and return its description; a failure is in there, and never raised."""
    raise NotImplementedError


def recover(machine: Machine, name: str, reason: str) -> Document:
    """Mark a job whose process is gone as failed for a reason, remove what it left, and return its description."""
    raise NotImplementedError
