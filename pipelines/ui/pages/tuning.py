"""A tuning job: how it stands, what its trials were drawn from, and what came of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.delivery.deployment.found import found
from pipelines.delivery.report import charts
from pipelines.delivery.report.facts import Tuning
from pipelines.delivery.report.markup import Markup
from pipelines.delivery.report.tuning import read_tuning
from pipelines.ui.rendering import missing, render, site

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


def charts_of(job: TuningJob) -> list[tuple[str, Markup]]:
    """Return the pictures of a job's trials with their headings; none while no trial has a value."""
    tuning = job.tuning
    if not tuning.measured:
        return []
    names = dict.fromkeys(name for trial in tuning.measured for name in trial.hyperparameters)
    pictures = [("By trial", charts.trials("trials", f"{tuning.objective} by trial", tuning))]
    for place, name in enumerate(names):
        title = f"{tuning.objective} by {name}"
        is_logarithmic = name in job.logarithmic
        pictures.append(
            (f"By {name}", charts.by_setting(f"by-{place}", title, tuning, name, logarithmic=is_logarithmic))
        )
    return pictures


def show(request: Request) -> Response:
    """Show a tuning job."""
    name = request.path_params["job"]
    job = read_tuning_job(site(request).client, name)
    if job is None:
        raise missing(f"there is no tuning job {name}")
    hyperparameters = list(dict.fromkeys(each for trial in job.tuning.trials for each in trial.hyperparameters))
    shown = {"title": name, "job": job, "charts": charts_of(job), "hyperparameters": hyperparameters}
    return render(request, "tuning.html", shown, live=job.is_going_on)


ROUTES = (Route("/tuning-jobs/{job}", show),)
