"""A tuning job: how it stands, what its trials were drawn from, and what came of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.delivery.deployment.found import found
from pipelines.delivery.report.facts import Tuning
from pipelines.delivery.report.tuning import read_tuning

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

_GOING_ON = frozenset({"InProgress", "Stopping"})


@dataclass(frozen=True)
class Range:
    """What a hyperparameter's values are drawn from."""

    name: str
    says: str
    is_logarithmic: bool = False


@dataclass(frozen=True)
class TuningJob:
    """A tuning job as it is now; seconds are of one that has ended."""

    name: str
    status: str
    strategy: str
    created: datetime
    planned: int
    tuning: Tuning
    ranges: tuple[Range, ...] = ()
    fixed: Mapping[str, str] | None = None
    seconds: float | None = None
    reason: str | None = None

    @property
    def is_going_on(self) -> bool:
        """Whether there is more to come."""
        return self.status in _GOING_ON

    @property
    def logarithmic(self) -> frozenset[str]:
        """The hyperparameters that are tried on a logarithmic scale."""
        return frozenset(each.name for each in self.ranges if each.is_logarithmic)


def read_tuning_job(client: SageMakerClient, name: str) -> TuningJob | None:
    """Return a tuning job; none where there is none of that name."""
    described = found(client.describe_hyper_parameter_tuning_job, HyperParameterTuningJobName=name)
    if described is None:
        return None
    config, ended = described["HyperParameterTuningJobConfig"], described.get("HyperParameterTuningEndTime")
    objective = config.get("HyperParameterTuningJobObjective", {})
    best = described.get("BestTrainingJob", {}).get("TrainingJobName")
    tuning = read_tuning(client, name, step=name, best=best, objective=objective)
    return TuningJob(
        name=name,
        status=described["HyperParameterTuningJobStatus"],
        strategy=config["Strategy"],
        created=described["CreationTime"],
        planned=config.get("ResourceLimits", {}).get("MaxNumberOfTrainingJobs", 0),
        tuning=tuning or Tuning(name, "", minimize=False, trials=()),
        ranges=tuple(_ranges(config.get("ParameterRanges", {}))),
        fixed=described.get("TrainingJobDefinition", {}).get("StaticHyperParameters"),
        seconds=(ended - described["CreationTime"]).total_seconds() if ended else None,
        reason=described.get("FailureReason"),
    )


def _ranges(given: Mapping[str, Any]) -> Iterator[Range]:
    for each in (*given.get("IntegerParameterRanges", ()), *given.get("ContinuousParameterRanges", ())):
        scaling = each.get("ScalingType", "Auto")
        said = "" if scaling in {"Auto", "Linear"} else f", {scaling.lower()}"
        yield Range(each["Name"], f"{each['MinValue']} to {each['MaxValue']}{said}", scaling == "Logarithmic")
    for each in given.get("CategoricalParameterRanges", ()):
        yield Range(each["Name"], ", ".join(each["Values"]))
