"""The numbers behind a verdict, read from the reports that the execution left in S3. What is not found stays none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipelines.delivery.definition import Comparison, ReportFile, Run
from pipelines.delivery.documents import read_document
from pipelines.delivery.gate import Candidate, Check, Package, says_rejected
from pipelines.delivery.jobs import Jobs
from pipelines.delivery.lifecycle import ROLLED_BACK
from pipelines.delivery.packages import known
from pipelines.delivery.snapshot import Execution, Step

if TYPE_CHECKING:
    from pipelines.delivery.run import Site

ROC_AUC_PROPERTY = "RocAuc"
DATA_HASH_PROPERTY = "InputDataHash"
# The name that training jobs give every model.
MODEL = "/model.tar.gz"
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
# Both are said of a group that nobody has registered anything in.
_NO_GROUP = frozenset({"ResourceNotFound", "ValidationException"})
_SEGMENT = re.compile(r"""\[['"](?P<key>[^'"]+)['"]\]|\[(?P<index>\d+)\]|(?P<name>[^.\[\]]+)""")


class Evaluation:
    """Reads the reports of one execution."""

    def __init__(self, site: Site, jobs: Jobs) -> None:
        self._site = site
        self._client = site.client
        self._jobs = jobs
        self._reports: dict[str, object] = {}

    def checks(self, execution: Execution, run: Run) -> tuple[Check, ...]:
        """Return the comparisons that the execution's condition steps made, with their numbers."""
        return tuple(
            self._check(comparison, execution, run)
            for step in execution.of_type("Condition")
            if step.name in run.definition.steps
            for comparison in run.definition.steps[step.name].comparisons
        )

    def package(self, arn: str, path: str | None) -> Package:
        """Return a model package's model and report, and the report's number at a path."""
        return self._package(arn, self._client.describe_model_package(ModelPackageName=arn), path)

    def _package(self, arn: str, description: Mapping[str, Any], path: str | None) -> Package:
        containers = description.get("InferenceSpecification", {}).get("Containers", ())
        metrics = description.get("ModelMetrics", {}).get("ModelQuality", {})
        uri = metrics.get("Statistics", {}).get("S3Uri")
        value = _number(self._report(uri), path) if uri and path else None
        told = description.get("CustomerMetadataProperties", {})
        return Package(
            arn=arn,
            model=containers[0].get("ModelDataUrl") if containers else None,
            evaluation=uri,
            value=value if value is not None else _as_number(told.get(ROC_AUC_PROPERTY)),
            group=description.get("ModelPackageGroupName"),
            approval=description.get("ModelApprovalStatus"),
            data_hash=known(told.get(DATA_HASH_PROPERTY)),
        )

    def champion(
        self, group: str, path: str | None, *, own: str | None, ended: datetime | None, needed: bool
    ) -> Package | None:
        """Return the newest approved package of a group that no stage rolled back, as far as the execution met it.

        What was registered after the execution's own package, or after its end, is no champion that it had. Unless it
        is needed, a role that may not list packages costs the comparison and no more.
        """
        pages = self._client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group,
            ModelApprovalStatus="Approved",
            SortBy="CreationTime",
            SortOrder="Descending",
        )
        try:
            entries = (entry for page in pages for entry in page["ModelPackageSummaryList"])
            earlier = [
                arn for each in entries if _is_earlier(arn := each["ModelPackageArn"], each["CreationTime"], own, ended)
            ]
        except ClientError as error:
            if error.response["Error"]["Code"] not in (_NO_GROUP if needed else _NO_GROUP | _DENIED):
                raise
            return None
        for arn in earlier:
            description: Mapping[str, Any] = self._client.describe_model_package(ModelPackageName=arn)
            if description.get("ModelLifeCycle", {}).get("StageStatus") != ROLLED_BACK:
                return self._package(arn, description, path)
        return None

    def rejected(self, execution: Execution, run: Run) -> Candidate | None:
        """Return the model that a job evaluated and rejected, with its report; none where no job did that."""
        step = next(filter(says_rejected, execution.of_type("Processing")), None)
        if step is None or step.job is None:
            return None
        inputs = self._jobs.processing(step.job).get("ProcessingInputs", ())
        sources = [each.get("S3Input", {}).get("S3Uri", "") for each in inputs]
        plan = run.definition.steps.get(step.name)
        reports = [self._report_uri(step, file) for file in (plan.reports.values() if plan else ())]
        return Candidate(
            model=next((uri for uri in sources if uri.endswith(MODEL)), None),
            # An output that is uploaded at the job's end only is not there when the job fails.
            evaluation=next((uri for uri in reports if uri and self._report(uri) is not None), None),
        )

    def _check(self, comparison: Comparison, execution: Execution, run: Run) -> Check:
        step, plan = execution.find(comparison.report_step), run.definition.steps.get(comparison.report_step)
        file = plan.reports.get(comparison.report) if plan else None
        uri = self._report_uri(step, file) if step and file else None
        parameter = comparison.parameter
        return Check(
            step=comparison.condition,
            path=comparison.path,
            metric=_metric(comparison.path),
            operator=comparison.operator,
            value=_number(self._report(uri), comparison.path) if uri else None,
            threshold=_as_number(run.values.get(parameter) if parameter else comparison.threshold),
            parameter=parameter,
            evaluation=uri,
        )

    def _report_uri(self, step: Step, file: ReportFile) -> str | None:
        if not step.job:
            return None
        outputs = self._jobs.processing(step.job).get("ProcessingOutputConfig", {}).get("Outputs", ())
        uris = (output.get("S3Output", {}).get("S3Uri") for output in outputs if output["OutputName"] == file.output)
        folder = next(uris, None)
        return f"{folder.rstrip('/')}/{file.path.lstrip('/')}" if folder else None

    def _report(self, uri: str) -> object:
        if uri not in self._reports:
            self._reports[uri] = read_document(self._site.s3, uri)
        return self._reports[uri]


def _is_earlier(arn: str, created: datetime, own: str | None, ended: datetime | None) -> bool:
    """Tell whether a package of a group was there before an execution's own, or else before its end."""
    if own is not None:
        return _version(arn) < _version(own)
    return ended is None or created < ended


def _version(arn: str) -> int:
    return int(arn.rpartition("/")[2])


def _metric(path: str) -> str:
    """Return the metric's name in a path such as `binary_classification_metrics.auc.value`."""
    names = [segment for segment in _segments(path) if isinstance(segment, str) and segment not in {"$", "value"}]
    return names[-1] if names else path


def _number(document: object, path: str) -> float | None:
    for segment in _segments(path):
        document = document if segment == "$" else _child(document, segment)
    return _as_number(document)


def _child(document: object, segment: str | int) -> object:
    if isinstance(document, dict):
        return document.get(segment)
    if isinstance(document, list) and isinstance(segment, int) and segment < len(document):
        return document[segment]
    return None


def _segments(path: str) -> Iterator[str | int]:
    for match in _SEGMENT.finditer(path):
        yield int(match["index"]) if match["index"] else match["key"] or match["name"]


def _as_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):
        return None
