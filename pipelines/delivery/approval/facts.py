"""What approve-model shows or did, for machines: one JSON document, described in docs/approve.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.delivery.approval.decision import Decided, Decision
from pipelines.delivery.approval.dossier import Dossier
from pipelines.delivery.approval.serving import Serving
from pipelines.delivery.caller import Caller
from pipelines.delivery.files import write_text
from pipelines.delivery.packages import ModelPackage
from pipelines.delivery.report.quality import Quality

SCHEMA_VERSION = 1

Facts = dict[str, Any]


def listed_facts(
    group: str, packages: Sequence[ModelPackage], champion: ModelPackage | None, *, not_shown: int
) -> Facts:
    """Return the facts of a table; `not_shown` are the older packages that are left out of it."""
    return _facts(group, champion, [_package(package, champion) for package in packages], not_shown=not_shown)


def shown_facts(dossier: Dossier) -> Facts:
    """Return the facts of one package in full."""
    package, champion = dossier.package, dossier.champion
    return _facts(package.group, champion, [_package(package, champion) | _details(dossier)])


def decided_facts(decided: Decided, decision: Decision, caller: Caller, serving: Serving) -> Facts:
    """Return the facts of a decision, and of where its package serves; no champion is looked up for it."""
    taken = {
        "status": decision.word,
        "stage": decision.stage,
        "changed": decided.changed,
        "serves_in": None if serving.unseen else list(serving.stages),
        "caller": {"arn": caller.arn, "person": caller.person, "run": caller.run},
    }
    package = decided.package
    return _facts(package.group, None, [_package(package, None)]) | {"decision": taken}


def write_facts(facts: Facts, path: Path) -> None:
    """Write the document so that a reader sees the whole of it or nothing."""
    write_text(json.dumps(facts, indent=2, allow_nan=False) + "\n", path)


def _facts(group: str, champion: ModelPackage | None, packages: list[Facts], *, not_shown: int = 0) -> Facts:
    return {
        "schema_version": SCHEMA_VERSION,
        "group": group,
        "champion": _champion(champion) if champion else None,
        "packages": packages,
        "not_shown": not_shown,
        "decision": None,
    }


def _champion(champion: ModelPackage) -> Facts:
    return {"version": champion.version, "model_package_arn": champion.arn, "roc_auc": champion.roc_auc}


def _package(package: ModelPackage, champion: ModelPackage | None) -> Facts:
    return {
        "version": package.version,
        "model_package_arn": package.arn,
        "status": package.status,
        "created": package.created.isoformat(),
        "approval": {"status": package.approval, "note": package.approval_note},
        "stage": _stage(package),
        "roc_auc": package.roc_auc,
        "difference": package.lead(champion),
        "has_other_data": package.has_other_data(champion),
        "threshold": package.threshold,
        "commit": package.commit,
        "repository": package.repository,
        "execution_arn": package.execution,
        "data_hash": package.properties.get("InputDataHash"),
        "code_hash": package.properties.get("CodeHash"),
        "evaluation": package.evaluation,
        "model": package.model,
        "image": package.image,
    }


def _stage(package: ModelPackage) -> Facts | None:
    if not package.stage:
        return None
    return {"name": package.stage, "status": package.stage_status, "note": package.stage_note}


def _details(dossier: Dossier) -> Facts:
    quality = _quality(dossier.quality) if dossier.quality else None
    return {"quality": quality, "instance_types": dict(dossier.instance_types)}


def _quality(quality: Quality) -> Facts:
    matrix = quality.confusion
    return {
        "items": quality.items,
        "metrics": {metric.name: metric.value for metric in quality.metrics},
        "confusion": {"labels": list(matrix.labels), "counts": [list(row) for row in matrix.counts]}
        if matrix
        else None,
    }
