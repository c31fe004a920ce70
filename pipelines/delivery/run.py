"""A run: the pipeline brought up to date, started, followed to its end, and judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING

from pipelines.delivery.definition import Run
from pipelines.delivery.errors import InterruptionError
from pipelines.delivery.evaluation import Evaluation
from pipelines.delivery.execution import Follower, start
from pipelines.delivery.gate import Package, Verdict, auc_check, judge, registered_arn
from pipelines.delivery.parameters import check_parameters
from pipelines.delivery.pipeline import Change, PipelineOrder, upsert
from pipelines.delivery.places import Places
from pipelines.delivery.progress import Progress
from pipelines.delivery.snapshot import Execution

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_sagemaker import SageMakerClient

Explain = Callable[[str], Mapping[str, str]]


@dataclass(frozen=True)
class Site:
    """A SageMaker as a run sees it: how it is reached, how often it is asked, and what an interrupt does there.

    `interval` is in seconds; `explain` gives, for an execution's ARN, the reason of each step's cache miss.
    """

    session: boto3.Session
    interval: float
    stops_on_interrupt: bool
    places: Places = field(default_factory=Places)
    explain: Explain | None = None

    @cached_property
    def client(self) -> SageMakerClient:
        """The SageMaker client, made once, for that takes a tenth of a second."""
        return self.session.client("sagemaker")


@dataclass(frozen=True)
class Result:
    """A run that has ended: all that a report of it can say."""

    run: Run
    execution: Execution
    verdict: Verdict
    package: Package | None
    cache_reasons: Mapping[str, str]
    places: Places


@dataclass(frozen=True)
class Launched:
    """An execution that was started, and what became of its pipeline before."""

    arn: str
    change: Change


def launch(site: Site, order: PipelineOrder, run: Run) -> Launched:
    """Check the parameters, bring the pipeline up to date and start it."""
    check_parameters(run)
    change = upsert(site.client, order)
    return Launched(start(site.client, order.name, run.parameters), change)


def complete(site: Site, arn: str, run: Run, progress: Progress, interrupt: Event) -> Result:
    """Follow an execution to its end and judge it."""
    follower = Follower(site.client, run.definition, interval=site.interval)
    try:
        execution = _follow(site, arn, follower, progress, interrupt)
    finally:
        progress.close()
    return _result(site, run, execution, Evaluation(site.session, site.client, follower.jobs))


def _follow(site: Site, arn: str, follower: Follower, progress: Progress, interrupt: Event) -> Execution:
    try:
        return follower.follow(arn, progress.show, interrupt)
    except InterruptionError:
        if not site.stops_on_interrupt:
            raise
    progress.say("stopping: waiting until the jobs have ended (once more to leave at once)")
    follower.stop(arn)
    # The interrupt stays set, and would end this following too.
    return follower.follow(arn, progress.show, Event())


def _result(site: Site, run: Run, execution: Execution, evaluation: Evaluation) -> Result:
    checks = evaluation.checks(execution, run)
    arn, check = registered_arn(execution), auc_check(checks)
    package = evaluation.package(arn, check.path if check else None) if arn else None
    verdict = judge(execution, run.definition, checks, package)
    reasons = site.explain(execution.arn) if site.explain else {}
    return Result(run, execution, verdict, package, reasons, site.places)
