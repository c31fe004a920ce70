"""Where a job's results are, and whether they still are."""

from pipelines.local.database import Document
from pipelines.local.jobs import training
from pipelines.local.jobs.machine import Machine
from pipelines.local.store import parse_uri


def written_outputs(machine: Machine, description: Document) -> tuple[str, ...]:
    """Return the S3 URIs of a finished job's outputs, without those under which it wrote nothing."""
    return tuple(uri for uri in _outputs(machine, description) if is_there(machine, uri))


def is_there(machine: Machine, uri: str) -> bool:
    """Tell whether any object is at an S3 URI, or below it."""
    bucket, key = parse_uri(uri)
    return machine.store.has_bucket(bucket) and bool(machine.store.list(bucket, key))


def _outputs(machine: Machine, description: Document) -> list[str]:
    if "BestTrainingJob" in description:
        best = machine.database.get(training.KIND, description["BestTrainingJob"]["TrainingJobName"])
        return _outputs(machine, best or {})
    if "ModelArtifacts" in description:
        return [description["ModelArtifacts"]["S3ModelArtifacts"]]
    if "TransformOutput" in description:
        return [description["TransformOutput"]["S3OutputPath"]]
    outputs = description.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return [output["S3Output"]["S3Uri"] for output in outputs if "S3Output" in output]
