"""What the jobs behind the steps tell: metrics, trials, models, last words. Each is asked only when it has news."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.delivery.snapshot import Step, Trials

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


class Jobs:
    """Adds to steps what their jobs know, and asks the service about an ended job once."""

    def __init__(self, client: SageMakerClient) -> None:
        self._client = client
        self._described: dict[str, dict[str, Any]] = {}
        self._readers: Mapping[str, Callable[[Step, str], Step]] = {
            "Training": self._training,
            "Tuning": self._tuning,
            "Processing": self._processing,
        }

    def complete(self, step: Step) -> Step:
        """Return the step with its job's news, if it is of a kind that has some now."""
        read = self._readers.get(step.type)
        return read(step, step.job) if read and step.job else step

    def processing(self, job: str) -> Mapping[str, Any]:
        """Return the description of a processing job that ended."""
        return self._once(job, lambda: dict(self._client.describe_processing_job(ProcessingJobName=job)))

    def _training(self, step: Step, job: str) -> Step:
        if step.status != "Succeeded":
            return step
        description = self._once(job, lambda: dict(self._client.describe_training_job(TrainingJobName=job)))
        metrics = {each["MetricName"]: float(each["Value"]) for each in description.get("FinalMetricDataList", ())}
        return replace(step, metrics=metrics, model_uri=description.get("ModelArtifacts", {}).get("S3ModelArtifacts"))

    def _tuning(self, step: Step, job: str) -> Step:
        def describe() -> dict[str, Any]:
            return dict(self._client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job))

        trials = _trials(self._once(job, describe) if step.has_ended else describe())
        metrics = {trials.objective: trials.best} if trials.objective and trials.best is not None else {}
        return replace(step, trials=trials, metrics=metrics)

    def _processing(self, step: Step, job: str) -> Step:
        if step.status != "Failed":
            return step
        return replace(step, exit_message=self.processing(job).get("ExitMessage"))

    def _once(self, job: str, describe: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if job not in self._described:
            self._described[job] = describe()
        return self._described[job]


def _trials(description: Mapping[str, Any]) -> Trials:
    counters = description.get("TrainingJobStatusCounters", {})
    config = description["HyperParameterTuningJobConfig"]
    best = description.get("BestTrainingJob", {})
    metric = best.get("FinalHyperParameterTuningJobObjectiveMetric", {})
    return Trials(
        completed=counters.get("Completed", 0),
        running=counters.get("InProgress", 0),
        failed=counters.get("NonRetryableError", 0) + counters.get("RetryableError", 0),
        total=config["ResourceLimits"].get("MaxNumberOfTrainingJobs", 0),
        objective=metric.get("MetricName"),
        best=float(metric["Value"]) if "Value" in metric else None,
        best_job=best.get("TrainingJobName"),
    )
