"""Tuning jobs as runs of MLflow, with their trials below them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipelines.delivery.tracking.records import Measured, Record, status_of
from pipelines.delivery.tracking.training import ended_at, hyperparameters, image, instance

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"
_RANGES = ("Integer", "Continuous", "Categorical")


def tuning_record(client: SageMakerClient, job: str, name: str, *, with_trials: bool) -> Record:
    """Return what a tuning job was and came to: its ranges, its best trial and, below it, every trial."""
    said: Mapping[str, Any] = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job)
    definition = said.get("TrainingJobDefinition", {})
    best = said.get("BestTrainingJob", {})
    return Record(
        key=said["HyperParameterTuningJobArn"],
        kind="tuning job",
        name=name,
        status=status_of(said["HyperParameterTuningJobStatus"]),
        started=said["CreationTime"],
        ended=said.get("HyperParameterTuningEndTime") or ended_at(said, "HyperParameterTuningJobStatus"),
        parameters={
            **hyperparameters(definition.get("StaticHyperParameters", {})),
            **dict(_ranges(said["HyperParameterTuningJobConfig"].get("ParameterRanges", {}))),
            **{f"best {setting}": value for setting, value in _settings(best).items()},
            "strategy": said["HyperParameterTuningJobConfig"]["Strategy"],
        },
        metrics=_objective(best),
        tags={
            "status": said["HyperParameterTuningJobStatus"],
            "failure_reason": said.get("FailureReason"),
            "best_training_job": best.get("TrainingJobName"),
            "image": image(definition.get("AlgorithmSpecification", {})),
            "instance": instance(definition.get("ResourceConfig", {})),
        },
        children=tuple(_trials(client, job, best.get("TrainingJobName"))) if with_trials else (),
    )


def _trials(client: SageMakerClient, job: str, best: str | None) -> Iterator[Record]:
    pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=job, SortBy="CreationTime", SortOrder="Ascending"
    )
    summaries: Iterator[Mapping[str, Any]] = (each for page in pages for each in page["TrainingJobSummaries"])
    for number, summary in enumerate(summaries, 1):
        yield _trial(number, summary, is_best=summary["TrainingJobName"] == best)


def _trial(number: int, summary: Mapping[str, Any], *, is_best: bool) -> Record:
    return Record(
        key=summary["TrainingJobArn"],
        kind="trial",
        name=f"trial {number}{' (best)' if is_best else ''}",
        status=status_of(summary["TrainingJobStatus"]),
        started=summary.get("TrainingStartTime", summary["CreationTime"]),
        ended=ended_at(summary, "TrainingJobStatus"),
        parameters=_settings(summary),
        metrics=_objective(summary),
        tags={
            "status": summary["TrainingJobStatus"],
            "failure_reason": summary.get("FailureReason"),
            "training_job": summary["TrainingJobName"],
            "best": "true" if is_best else None,
        },
    )


def _settings(summary: Mapping[str, Any]) -> dict[str, str]:
    return hyperparameters(summary.get("TunedHyperParameters", {}))


def _objective(summary: Mapping[str, Any]) -> dict[str, Measured]:
    metric = summary.get(_OBJECTIVE, {})
    if "Value" not in metric:
        return {}
    return {metric["MetricName"]: Measured(float(metric["Value"]), summary.get("TrainingEndTime"))}


def _ranges(ranges: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the range of each hyperparameter that was tuned, as a person writes it."""
    for each in (each for kind in _RANGES for each in ranges.get(f"{kind}ParameterRanges", ())):
        values = each.get("Values")
        yield each["Name"], " | ".join(values) if values else f"{each['MinValue']} to {each['MaxValue']}"
