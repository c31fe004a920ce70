"""Where a run left its logs and artifacts, as the person at this terminal can reach them."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from pipelines.delivery.snapshot import Step

_LOG_GROUPS = {
    "Processing": "/aws/sagemaker/ProcessingJobs",
    "Training": "/aws/sagemaker/TrainingJobs",
    "Tuning": "/aws/sagemaker/TrainingJobs",
    "Transform": "/aws/sagemaker/TransformJobs",
}


@dataclass(frozen=True)
class Places:
    """The addresses of one SageMaker: of AWS, or of the one that keeps its state in a folder."""

    root: Path | None = None

    @property
    def logs(self) -> str:
        """Where all logs are."""
        return str(self.root / "logs") if self.root else "CloudWatch Logs, /aws/sagemaker/*"

    def typed(self, place: str) -> str:
        """Return a place as a shell takes it, where it is a file."""
        return shlex.quote(place) if self.root else place

    def log(self, step: Step) -> str | None:
        """Return a step's log: a file, or a CloudWatch log group and the beginning of its streams' names."""
        job = step.trials.best_job if step.trials else step.job
        return self.job_log(step.type, job) if job else None

    def job_log(self, step_type: str, job: str) -> str | None:
        """Return the log of a job of a step of that type; none for a type that has no logs."""
        group = _LOG_GROUPS.get(step_type)
        if not group:
            return None
        return str(self.root / "logs" / group.lstrip("/") / job / "algo-1.log") if self.root else f"{group}/{job}"

    def endpoint_logs(self, endpoint: str) -> str:
        """Return where the logs of an endpoint's containers are: a folder, or a CloudWatch log group."""
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        return str(self.root / "logs" / group.lstrip("/")) if self.root else group

    def show_log(self, step: Step) -> str | None:
        """Return the command that shows a step's log."""
        place = self.log(step)
        if place is None or self.root:
            return place and f"tail -n 50 {shlex.quote(place)}"
        group, _, job = place.rpartition("/")
        return f"aws logs tail {group} --log-stream-name-prefix {job} --since 1d"

    def artifact(self, uri: str) -> str:
        """Return an S3 object's address: the URI itself, or the file that holds it."""
        return str(self.root / "s3" / uri.removeprefix("s3://")) if self.root else uri

    def show_artifact(self, uri: str) -> str:
        """Return the command that prints an S3 object."""
        return f"cat {shlex.quote(self.artifact(uri))}" if self.root else f"aws s3 cp {uri} -"
