"""A run: the pipeline brought up to date, started, followed to its end, and judged."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from botocore.config import Config

from pipelines.delivery.attention import Attention, Patience
from pipelines.delivery.definition import Run
from pipelines.delivery.errors import InterruptionError
from pipelines.delivery.evaluation import Evaluation
from pipelines.delivery.execution import Follower, start
from pipelines.delivery.followed import read_run
from pipelines.delivery.gate import Candidate, Package, Rivals, Verdict, auc_check, judge, registered_arn
from pipelines.delivery.identity import Identity, find_execution
from pipelines.delivery.logs import Tail, read_tails
from pipelines.delivery.packages import are_other_data
from pipelines.delivery.parameters import check_parameters
from pipelines.delivery.pipeline import Change, PipelineOrder, upsert
from pipelines.delivery.places import Places
from pipelines.delivery.progress import Progress
from pipelines.delivery.snapshot import Execution

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

LONGEST_REASON = 1024
# The service's limit for an answer of an endpoint, and a little for the way.
_ANSWER_SECONDS = 70
CONTENT_HASH = re.compile(r"/([0-9a-f]{64})(?:/|$)")
_ONE_AT_A_TIME = threading.Lock()

Explain = Callable[[str], Mapping[str, str]]


@dataclass(frozen=True)
class Site:
    """A SageMaker as a run sees it: how it is reached, how often it is asked, and what an interrupt does there.

    `interval` is in seconds; `explain` gives, for an execution's ARN, the reason of each step's cache miss, and
    `endpoint_url`, for an endpoint's name, where it answers; AWS tells neither.
    """

    session: boto3.Session
    interval: float
    stops_on_interrupt: bool
    places: Places = field(default_factory=Places)
    explain: Explain | None = None
    endpoint_url: Callable[[str], str] | None = None

    @cached_property
    def client(self) -> SageMakerClient:
        """The SageMaker client, made once, for that takes a tenth of a second."""
        made: SageMakerClient = self._make("sagemaker")
        return made

    @cached_property
    def s3(self) -> S3Client:
        """The S3 client, made once."""
        made: S3Client = self._make("s3")
        return made

    @cached_property
    def runtime(self) -> Any:
        """The client that invokes endpoints; it tries once, for a repetition would be measured as latency."""
        once = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=_ANSWER_SECONDS)
        return self._make("sagemaker-runtime", config=once)

    def _make(self, service: Any, **options: Any) -> Any:
        # Sessions do not make clients in two threads at once.
        with _ONE_AT_A_TIME:
            return self.session.client(service, **options)


@dataclass(frozen=True)
class Result:
    """A run that has ended: all that a report of it can say."""

    run: Run
    execution: Execution
    verdict: Verdict
    package: Package | None
    cache_reasons: Mapping[str, str]
    places: Places
    tails: Mapping[str, Tail] = field(default_factory=dict)
    rejected: Candidate | None = None

    @property
    def data_hash(self) -> str | None:
        """The hash of the run's data, by its model package or else by its parameters."""
        found = (CONTENT_HASH.search(str(value)) for value in self.run.values.values())
        told = self.package.data_hash if self.package else None
        return told or next((match[1] for match in found if match), None)

    @property
    def has_other_data(self) -> bool:
        """Whether it is known that the champion was measured on another test set."""
        champion = self.verdict.champion
        return champion is not None and are_other_data(self.data_hash, champion.data_hash)


@dataclass(frozen=True)
class Launched:
    """An execution that was started, and what became of its pipeline before."""

    arn: str
    change: Change | Literal["attached"]


def launch(site: Site, order: PipelineOrder, run: Run, identity: Identity | None = None) -> Launched:
    """Check the parameters, bring the pipeline up to date and start it.

    A run with an identity that has an execution is not started again, and its pipeline stays as it is: a later commit
    may have changed it since.
    """
    check_parameters(run)
    if identity and (arn := find_execution(site.client, order.name, identity)):
        return Launched(arn, "attached")
    change = upsert(site.client, order, site.session)
    return Launched(start(site.client, order.name, run.parameters, identity), change)


def complete(
    site: Site,
    arn: str,
    run: Run,
    progress: Progress,
    attention: Attention,
    *,
    max_regression: float | None = None,
) -> Result:
    """Follow an execution to its end and judge it."""
    follower = Follower(site.client, run.definition, interval=site.interval)
    patience = Patience(site.session, site.interval, progress.say)
    try:
        execution = _follow(site, arn, follower, progress, attention, patience)
    finally:
        progress.close()
    evaluation = Evaluation(site, follower.jobs)
    return patience.call(lambda: _result(site, run, execution, evaluation, max_regression), attention, arn)


def review(site: Site, arn: str) -> Result:
    """Return what is known of an execution, as the command that followed it would; nothing is changed.

    The verdict on an execution that has not ended means nothing yet.
    """
    run = read_run(site.client, arn)
    follower = Follower(site.client, run.definition, interval=site.interval)
    execution = follower.look(arn)
    return _judged(site, run, execution, Evaluation(site, follower.jobs), None)


def _follow(
    site: Site, arn: str, follower: Follower, progress: Progress, attention: Attention, patience: Patience
) -> Execution:
    try:
        return follower.follow(arn, progress.show, attention, patience)
    except InterruptionError:
        if not site.stops_on_interrupt:
            raise
    progress.say("stopping: waiting until the jobs have ended (once more to leave at once)")
    follower.stop(arn)
    # The interrupt stays set, and would end this following too.
    return follower.follow(arn, progress.show, Attention(), patience)


def _result(site: Site, run: Run, execution: Execution, evaluation: Evaluation, max_regression: float | None) -> Result:
    result = _judged(site, run, execution, evaluation, max_regression)
    verdict, package = result.verdict, result.package
    if verdict.outcome == "rejected" and package and package.approval == "PendingManualApproval":
        _reject(site, package, verdict.reason)
    return result


def _judged(site: Site, run: Run, execution: Execution, evaluation: Evaluation, max_regression: float | None) -> Result:
    checks = evaluation.checks(execution, run)
    arn, check = registered_arn(execution), auc_check(checks)
    path = check.path if check else None
    package = evaluation.package(arn, path) if arn else None
    group = package.group if package else run.model_package_group
    needed = max_regression is not None
    ended = execution.ended
    champion = evaluation.champion(group, path, own=arn, ended=ended, needed=needed) if group else None
    verdict = judge(execution, run.definition, checks, Rivals(package, champion, max_regression))
    reasons = site.explain(execution.arn) if site.explain else {}
    tails = read_tails(site.session, execution, site.places) if verdict.outcome == "failed" else {}
    rejected = evaluation.rejected(execution, run) if verdict.outcome == "rejected" else None
    return Result(run, execution, verdict, package, reasons, site.places, tails, rejected)


def _reject(site: Site, package: Package, reason: str) -> None:
    site.client.update_model_package(
        ModelPackageArn=package.arn, ModelApprovalStatus="Rejected", ApprovalDescription=reason[:LONGEST_REASON]
    )
