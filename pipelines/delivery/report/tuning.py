"""The trials of a tuning job, as reports and pages show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipelines.delivery.report.facts import Trial, Tuning

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

_MOST_TRIALS = 500


def read_tuning(
    client: SageMakerClient, job: str, *, step: str, best: str | None, objective: Mapping[str, Any] | None = None
) -> Tuning | None:
    """Return a tuning job's trials, of which one may be known as the best.

    The objective is that of the job's description; without it the trials tell it, and none is returned until one does.
    """
    summaries = list(_summaries(client, job))
    metrics = [each.get("FinalHyperParameterTuningJobObjectiveMetric", {}) for each in summaries]
    objective = objective or next((metric for metric in metrics if metric.get("MetricName")), None)
    if objective is None:
        return None
    ordered = sorted(summaries, key=lambda each: (each["CreationTime"], each["TrainingJobName"]))
    trials = tuple(_trial(number, each, best) for number, each in enumerate(ordered, 1))
    return Tuning(step, objective["MetricName"], objective.get("Type") == "Minimize", trials)


def _summaries(client: SageMakerClient, job: str) -> Iterator[Mapping[str, Any]]:
    pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=job, PaginationConfig={"MaxItems": _MOST_TRIALS}
    )
    for page in pages:
        yield from page["TrainingJobSummaries"]


def _trial(number: int, summary: Mapping[str, Any], best: str | None) -> Trial:
    metric = summary.get("FinalHyperParameterTuningJobObjectiveMetric", {})
    began, ended = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
    return Trial(
        number=number,
        name=summary["TrainingJobName"],
        status=summary["TrainingJobStatus"],
        value=float(metric["Value"]) if "Value" in metric else None,
        hyperparameters=summary.get("TunedHyperParameters", {}),
        seconds=(ended - began).total_seconds() if began and ended else None,
        is_best=summary["TrainingJobName"] == best,
    )
