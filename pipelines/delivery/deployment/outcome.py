"""The outcome of a deployment for machines: one JSON document, described in docs/deploy.md."""

import json
import math
from pathlib import Path
from typing import Any

from pipelines.delivery.deployment.report import Report
from pipelines.delivery.deployment.result import Result, Serving
from pipelines.delivery.files import write_text
from pipelines.delivery.packages import ModelPackage

SCHEMA_VERSION = 1


def make_outcome(result: Result) -> dict[str, Any]:
    """Put a result into the document's form."""
    return {
        "schema_version": SCHEMA_VERSION,
        "action": result.action,
        "outcome": result.outcome,
        "exit_code": result.exit_code,
        "reason": result.reason,
        "stage": result.order.stage,
        "endpoint": result.order.endpoint,
        "url": result.url,
        "model_package": _package(result.package),
        "endpoint_config": result.config,
        "serving": _serving(result.serving),
        "changes": list(result.changes),
        "test": _report(result.test),
        "test_after_rollback": _report(result.fallback_test),
        "seconds": result.seconds,
    }


def write_outcome(result: Result, path: Path) -> None:
    """Write the document so that a reader sees the whole of it or nothing."""
    write_text(json.dumps(make_outcome(result), indent=2, allow_nan=False) + "\n", path)


def _package(package: ModelPackage | None) -> dict[str, Any] | None:
    return {"arn": package.arn, "group": package.group, "version": package.version} if package else None


def _serving(serving: Serving | None) -> dict[str, Any] | None:
    return {"endpoint_config": serving.config, "model_package": _package(serving.package)} if serving else None


def _report(report: Report | None) -> dict[str, Any] | None:
    if report is None:
        return None
    latency = report.latency
    return {
        "passed": report.passed,
        "endpoint_config": report.config,
        "rows": report.rows,
        "roc_auc": _finite(report.roc_auc),
        "registered_roc_auc": _finite(report.registered),
        "latency_ms": {
            "p50": latency.p50,
            "p95": latency.p95,
            "p99": latency.p99,
            "requests": latency.requests,
        }
        if latency
        else None,
        "checks": [{"name": each.name, "passed": each.passed, "detail": each.detail} for each in report.checks],
    }


def _finite(value: float | None) -> float | None:
    # JSON has no NaN and no infinity.
    return value if value is not None and math.isfinite(value) else None
