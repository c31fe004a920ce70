"""The test of an endpoint with labelled rows: it answers well-formed, fast enough, and as good as was registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from pipelines.delivery.deployment.auc import roc_auc
from pipelines.delivery.deployment.order import Limits
from pipelines.delivery.deployment.report import Check, Latency, Report, percentiles
from pipelines.delivery.deployment.requests import (
    CSV,
    JSON,
    AnswerError,
    csv_body,
    json_body,
    numeric_columns,
    predictions,
)
from pipelines.delivery.deployment.rows import Rows
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.packages import ModelPackage

SINGLE_ROWS = 100
# What the service says when the container, and not itself, answered with an error.
_MODEL_ERRORS = frozenset({"ModelError", "ModelNotReadyException"})


def check_testable(package: ModelPackage, limits: Limits) -> None:
    """Refuse a package whose endpoint could not be judged."""
    if not _forms(package):
        raise DeliveryError(
            f"{package.name} takes {', '.join(package.content_types) or 'nothing that it names'}: "
            f"an endpoint is tested with {CSV} or {JSON}; name them in SupportedContentTypes and "
            "SupportedResponseMIMETypes"
        )
    if package.roc_auc is None and limits.auc_tolerance < 1:
        told = package.properties.get("RocAuc")
        problem = f"says {told}, which is no number from 0 to 1, for" if told else "does not say"
        raise DeliveryError(
            f"{package.name} {problem} its ROC AUC (RocAuc): give --auc-tolerance 1, which compares nothing"
        )


def examine(tools: Tools, endpoint: str, config: str, package: ModelPackage, rows: Rows, limits: Limits) -> Report:
    """Send the rows through the endpoint and judge the answers."""
    tools.journal.status(f"testing endpoint {endpoint} with {len(rows.labels)} labelled rows")
    sender = _Sender(tools, endpoint, rows)
    checks: list[Check] = []
    forms = _forms(package)
    try:
        scores = {form: sender.scores(form) for form in forms}
    except AnswerError as error:
        return _report_error(config, rows, (), "answers", error)
    first = scores[forms[0]]
    checks.append(Check("answers", True, f"{len(first)} predictions for {len(rows.labels)} rows, each from 0 to 1"))
    if len(forms) > 1:
        checks.append(_same(scores[CSV], scores[JSON]))
    try:
        latency = sender.latency(forms[0])
    except AnswerError as error:
        return _report_error(config, rows, checks, "single rows", error)
    auc = roc_auc(rows.labels, first)
    checks += [_fast(latency, limits), _good(auc, package.roc_auc, limits)]
    return Report(config, len(rows.labels), tuple(checks), latency, auc, package.roc_auc)


class _Sender:
    """Sends rows to one endpoint."""

    def __init__(self, tools: Tools, endpoint: str, rows: Rows) -> None:
        self._tools = tools
        self._endpoint = endpoint
        self._rows = rows
        self._numeric = numeric_columns(rows)

    def scores(self, form: str) -> list[float]:
        """Return the predictions of all rows, in batches."""
        return [score for batch in self._rows.batches() for score in self._ask(batch, form)[0]]

    def latency(self, form: str) -> Latency:
        """Measure requests of a single row each."""
        return percentiles([self._ask([values], form)[1] for values in self._rows.values[:SINGLE_ROWS]])

    def _ask(self, values: Sequence[tuple[str, ...]], form: str) -> tuple[list[float], float]:
        columns = self._rows.columns
        body = json_body(columns, values, self._numeric) if form == JSON else csv_body(columns, values)
        content, seconds = self._tools.patiently(lambda: self._invoke(body, form), self._endpoint)
        self._tools.attention.pause(0, self._endpoint)
        return predictions(content, form, len(values)), seconds

    def _invoke(self, body: bytes, form: str) -> tuple[bytes, float]:
        began = self._tools.clock()
        try:
            answer: Any = self._tools.runtime.invoke_endpoint(
                EndpointName=self._endpoint, ContentType=form, Accept=form, Body=body
            )
            content: bytes = answer["Body"].read()
        except ClientError as error:
            if error.response["Error"].get("Code") not in _MODEL_ERRORS:
                raise
            told: Any = error.response
            status, message = told.get("OriginalStatusCode"), told.get("OriginalMessage")
            said = f"the model answered {form} with {status or 'an error'}: {message or error}"
            raise AnswerError(said, status) from error
        return content, self._tools.clock() - began


def _report_error(config: str, rows: Rows, before: Sequence[Check], name: str, error: AnswerError) -> Report:
    unsuitable = f"the rows of --test-data {rows.given} do not suit it" if rows.given and error.refuses_rows else None
    checks = (*before, Check(name, False, str(error)))
    return Report(config, len(rows.labels), checks, unsuitable=f"{unsuitable}: {error}" if unsuitable else None)


def _forms(package: ModelPackage) -> list[str]:
    return [form for form in (CSV, JSON) if form in package.content_types and form in package.response_types]


def _same(one: Sequence[float], other: Sequence[float]) -> Check:
    different = [number for number, (a, b) in enumerate(zip(one, other, strict=True), 1) if a != b]
    if not different:
        return Check("formats", True, "CSV and JSON give the same numbers")
    row = different[0]
    detail = f"CSV and JSON differ in {len(different)} rows, first in row {row}: {one[row - 1]!r}, {other[row - 1]!r}"
    return Check("formats", False, detail)


def _fast(latency: Latency, limits: Limits) -> Check:
    numbers = f"p50 {latency.p50:.1f} ms, p95 {latency.p95:.1f} ms, p99 {latency.p99:.1f} ms"
    detail = f"{numbers} of {latency.requests} single rows; allowed p95 {limits.latency:g} ms"
    return Check("latency", latency.p95 <= limits.latency, detail)


def _good(auc: float, registered: float | None, limits: Limits) -> Check:
    if registered is None:
        return Check("ROC AUC", True, f"{auc:.4f}; none is registered to compare it with")
    # Numbers of a report, which has some digits only.
    passed = round(abs(auc - registered), 12) <= limits.auc_tolerance
    detail = f"{auc:.4f}, registered {registered:.4f}: {auc - registered:+.4f}, allowed ±{limits.auc_tolerance:g}"
    return Check("ROC AUC", passed, detail)
