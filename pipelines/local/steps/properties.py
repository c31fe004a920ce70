"""What other steps may refer to in a finished step: the description of what it made."""

from pipelines.local.database import Document
from pipelines.local.errors import StepFailure
from pipelines.local.jobs.machine import Machine


def properties(machine: Machine, metadata: Document) -> Document:
    """Return the service's description of what a step's metadata names.

    Raises:
        StepFailure: it was deleted.
    """
    ((kind, details),) = metadata.items()
    if kind == "Condition":
        return {"Outcome": details["Outcome"] == "True"}
    resource, key = resource_of(details["Arn"])
    document = machine.database.get(resource, key)
    if document is None:
        raise StepFailure(f"{details['Arn']} does not exist any more.")
    return document


def resource_of(arn: str) -> tuple[str, str]:
    """Return the kind and the key under which the database keeps what an ARN names."""
    resource, key = arn.rsplit(":", 1)[-1].split("/", 1)
    if resource == "model-package":
        group, version = key.rsplit("/", 1)
        key = f"{group}/{int(version):08d}"
    return resource, key
