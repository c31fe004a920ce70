"""The outcome of a run for machines: one JSON document, described in docs/outcome.md."""

import json
import math
from pathlib import Path
from typing import Any

from pipelines.delivery.files import write_text
from pipelines.delivery.gate import Check, Package, Verdict
from pipelines.delivery.run import Result
from pipelines.delivery.snapshot import Step, Trials

SCHEMA_VERSION = 1


def make_outcome(result: Result) -> dict[str, Any]:
    """Put a result into the document's form."""
    execution, verdict = result.execution, result.verdict
    listed = {step.name for step in execution.steps}
    return {
        "schema_version": SCHEMA_VERSION,
        "outcome": verdict.outcome,
        "exit_code": verdict.exit_code,
        "reason": verdict.reason,
        "pipeline": execution.pipeline,
        "execution_arn": execution.arn,
        "execution_status": execution.status,
        "started": execution.started.isoformat() if execution.started else None,
        "seconds": execution.seconds,
        "parameters": result.run.values,
        "verdict": _verdict(verdict),
        "model_package_arn": verdict.model_package_arn,
        "artifacts": {"model": model_uri(result), "evaluation": evaluation_uri(result)},
        "steps": [_step(step, result) for step in execution.steps],
        "steps_not_run": [name for name in result.run.definition.steps if name not in listed],
    }


def model_uri(result: Result) -> str | None:
    """Return the S3 URI of the registered model, else of the rejected one, else of the last training step."""
    for judged in (result.package, result.rejected):
        if judged and judged.model:
            return judged.model
    models = [step.model_uri for step in result.execution.steps if step.model_uri]
    return models[-1] if models else None


def evaluation_uri(result: Result) -> str | None:
    """Return the S3 URI of the registered or rejected model's report, else of the one that the gate read last."""
    for judged in (result.package, result.rejected):
        if judged and judged.evaluation:
            return judged.evaluation
    reports = [check.evaluation for check in result.verdict.checks if check.evaluation]
    return reports[-1] if reports else None


def write_outcome(outcome: dict[str, Any], path: Path) -> None:
    """Write the document so that a reader sees the whole of it or nothing."""
    write_text(json.dumps(outcome, indent=2, allow_nan=False) + "\n", path)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "roc_auc": _finite(verdict.roc_auc),
        "threshold": _finite(verdict.threshold),
        "tuned_roc_auc": _finite(verdict.tuned_roc_auc),
        "branches": [{"step": branch.step, "outcome": branch.outcome} for branch in verdict.branches],
        "checks": [_check(check) for check in verdict.checks],
        "trials": _trials(verdict.trials),
        "champion": _champion(verdict.champion),
        "difference": _finite(verdict.difference),
    }


def _champion(champion: Package | None) -> dict[str, Any] | None:
    return {"model_package_arn": champion.arn, "roc_auc": _finite(champion.value)} if champion else None


def _check(check: Check) -> dict[str, Any]:
    return {
        "step": check.step,
        "metric": check.metric,
        "value": _finite(check.value),
        "operator": check.operator,
        "threshold": _finite(check.threshold),
        "parameter": check.parameter,
        "evaluation": check.evaluation,
    }


def _step(step: Step, result: Result) -> dict[str, Any]:
    return {
        "name": step.name,
        "type": step.type,
        "status": step.status,
        "seconds": step.seconds,
        "cache_hit": {"source": step.cache_source} if step.cache_source else None,
        "cache_reason": None if step.cache_source else result.cache_reasons.get(step.name),
        "failure_reason": step.failure_reason,
        "exit_message": step.exit_message,
        "outcome": step.outcome,
        "metrics": {name: _finite(value) for name, value in step.metrics.items()},
        "trials": _trials(step.trials),
        "job_arn": step.arn,
        "log": result.places.log(step),
    }


def _trials(trials: Trials | None) -> dict[str, Any] | None:
    if trials is None:
        return None
    return {
        "total": trials.total,
        "completed": trials.completed,
        "running": trials.running,
        "failed": trials.failed,
        "objective": trials.objective,
        "best": _finite(trials.best),
        "best_job": trials.best_job,
    }


def _finite(value: float | None) -> float | None:
    # JSON has no NaN and no infinity.
    return value if value is not None and math.isfinite(value) else None
