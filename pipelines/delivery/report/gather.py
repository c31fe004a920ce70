"""Gathers the facts of a run that ended, by boto3 calls. What may not be read or is gone costs its section only."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from pipelines.delivery.documents import read_document
from pipelines.delivery.misses import reasons
from pipelines.delivery.report.facts import Champion, Facts, PackageFact, Report, StepFact, Tuning
from pipelines.delivery.report.graph import Graph, read_graph
from pipelines.delivery.report.quality import read_importance, read_quality
from pipelines.delivery.report.tuning import read_tuning
from pipelines.delivery.report.words import comparison
from pipelines.delivery.run import Result, Site
from pipelines.delivery.snapshot import Step
from pipelines.delivery.wording import one_line, result, state

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Found = TypeVar("Found")
IMPORTANCE = "feature_importance.json"
# Codes of "there is none" and "you may not"; anything else is a failure that must be seen.
_ABSENT = frozenset({"AccessDenied", "AccessDeniedException", "ResourceNotFound", "ValidationException"})


def gather(site: Site, run_result: Result) -> Facts:
    """Return the facts of a run."""
    return _Gatherer(site, run_result).facts()


class _Gatherer:
    """Asks one SageMaker about one run; each document is read once."""

    def __init__(self, site: Site, run_result: Result) -> None:
        self._client: SageMakerClient = site.client
        self._s3: S3Client = site.s3
        self._result = run_result
        self._documents: dict[str, object] = {}
        self._reasons = reasons(run_result.execution, run_result.run, run_result.cache_reasons)

    def facts(self) -> Facts:
        """Return all that is found."""
        run_result, execution = self._result, self._result.execution
        package = self._describe_package(run_result.verdict.model_package_arn)
        reports = tuple(self._reports())
        return Facts(
            pipeline=execution.pipeline,
            execution_arn=execution.arn,
            status=execution.status,
            verdict=run_result.verdict,
            started=execution.started,
            seconds=execution.seconds,
            is_local=run_result.places.root is not None,
            steps=tuple(self._step(step) for step in execution.steps),
            graph=self._graph(),
            reports=reports,
            tuning=next(filter(None, map(self._tuning, reversed(execution.of_type("Tuning")))), None),
            importance=read_importance(self._sibling(reports[-1].uri)) if reports else (),
            champion=self._champion(),
            package=self._package(package) if package else None,
            parameters=run_result.run.values,
            commit=_known(package.get("MetadataProperties", {}).get("CommitId"), run_result.run.values.get("CommitId")),
            data_hash=run_result.data_hash,
        )

    def _step(self, step: Step) -> StepFact:
        began = self._result.execution.started
        offset = (step.started - began).total_seconds() if step.started and began else None
        cached, tail = step.cache_source is not None, self._result.tails.get(step.name)
        return StepFact(
            name=step.name,
            type=step.type,
            state=state(step),
            offset=None if offset is None else max(0.0, offset),
            seconds=step.seconds,
            says=one_line(result(step)),
            cache_reason=None if cached else self._reasons.get(step.name),
            show_log=self._result.places.show_log(step) if step.status == "Failed" else None,
            log=tail.lines if tail else (),
        )

    def _graph(self) -> Graph:
        steps = self._result.execution.steps
        outcomes = {branch.step: branch.outcome for branch in self._result.verdict.branches}
        notes = {check.step: comparison(check) for check in self._result.verdict.checks if check.value is not None}
        states = {step.name: state(step) for step in steps}
        return read_graph(self._result.run.definition.text).marked(states, outcomes, notes)

    def _reports(self) -> Iterator[Report]:
        for step in self._result.execution.steps:
            for uri in self._report_uris(step):
                quality = read_quality(self._document(uri))
                if quality:
                    yield Report(step.name, quality, uri)

    def _report_uris(self, step: Step) -> Iterator[str]:
        plan, job = self._result.run.definition.steps.get(step.name), step.job
        # A model that its own evaluation rejects has a report too, by a step that failed.
        if not (plan and plan.reports and job and step.status in ("Succeeded", "Failed")):
            return
        description = _allowed(lambda: self._client.describe_processing_job(ProcessingJobName=job))
        outputs = description["ProcessingOutputConfig"]["Outputs"] if description else ()
        folders = {output["OutputName"]: output.get("S3Output", {}).get("S3Uri") for output in outputs}
        for file in plan.reports.values():
            if folder := folders.get(file.output):
                yield f"{folder.rstrip('/')}/{file.path.lstrip('/')}"

    def _tuning(self, step: Step) -> Tuning | None:
        job = step.job
        if job is None:
            return None
        best = step.trials.best_job if step.trials else None
        return _allowed(lambda: read_tuning(self._client, job, step=step.name, best=best))

    def _describe_package(self, arn: str | None) -> Mapping[str, Any]:
        if arn is None:
            return {}
        return _allowed(lambda: dict(self._client.describe_model_package(ModelPackageName=arn))) or {}

    def _package(self, description: Mapping[str, Any]) -> PackageFact:
        arn = description["ModelPackageArn"]
        approve = _approve(arn, description.get("ModelPackageGroupName", ""), self._result.places.root)
        return PackageFact(arn, description.get("ModelApprovalStatus", ""), approve)

    def _champion(self) -> Champion | None:
        found = self._result.verdict.champion
        if found is None:
            return None
        quality = read_quality(self._document(found.evaluation)) if found.evaluation else None
        name = found.arn.partition("model-package/")[2] or found.arn
        return Champion(name, found.value, quality, has_other_data=self._result.has_other_data)

    def _sibling(self, uri: str) -> object:
        return self._document(f"{uri.rpartition('/')[0]}/{IMPORTANCE}")

    def _document(self, uri: str) -> object:
        if uri not in self._documents:
            self._documents[uri] = read_document(self._s3, uri)
        return self._documents[uri]


def _allowed(ask: Callable[[], Found]) -> Found | None:
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ABSENT:
            raise
        return None


def _known(*values: object) -> str | None:
    """Return the first value that says something; parameters without a value are `unknown`."""
    return next((str(value) for value in values if value and value != "unknown"), None)


def _approve(arn: str, group: str, root: Path | None) -> str:
    """Return the command that approves a model package."""
    here = ["--local", "--local-root", str(root)] if root else []
    return shlex.join(["approve-model", arn.rpartition("/")[2], "--group", group, "--approve", *here])
