"""What approve-model writes for machines, held against its published schema."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelines.delivery.approval.decision import Decided, Decision
from pipelines.delivery.approval.dossier import Dossier
from pipelines.delivery.approval.facts import decided_facts, listed_facts, shown_facts, write_facts
from pipelines.delivery.approval.serving import Serving
from pipelines.delivery.caller import Caller
from pipelines.delivery.packages import ModelPackage
from pipelines.delivery.report.quality import read_quality
from tests.delivery.registry import ADA, EXECUTION, REPORT, REPORT_URI, SHA, arn_of
from tests.delivery.scripted import START

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "approval.schema.json").read_text())
BARE = ModelPackage(arn_of(3), "fraud", 3, "PendingManualApproval", "Completed", START)
TOLD = replace(
    BARE,
    roc_auc=0.95,
    threshold=0.85,
    commit=SHA,
    repository="https://github.com/org/fraud",
    execution=EXECUTION,
    evaluation=REPORT_URI,
    model="s3://models/model.tar.gz",
    image="image",
    approval_note="good",
    stage="production",
    stage_status="RolledBack",
    stage_note="ROC AUC 0.5",
    properties={"InputDataHash": "beef", "CodeHash": "c0de"},
)
CHAMPION = replace(BARE, arn=arn_of(2), version=2, approval="Approved", roc_auc=0.9)
DECISION = Decision(approves=False, note="no", stage="production")


def valid(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts as a reader gets them, after a check against the schema."""
    document: dict[str, Any] = json.loads(json.dumps(facts, allow_nan=False))
    jsonschema.validate(document, SCHEMA)
    return document


def test_a_table_has_its_packages_and_the_champion() -> None:
    facts = valid(listed_facts("fraud", [TOLD, BARE], CHAMPION, not_shown=4))
    assert (facts["group"], facts["not_shown"], facts["decision"]) == ("fraud", 4, None)
    assert facts["champion"] == {"version": 2, "model_package_arn": arn_of(2), "roc_auc": 0.9}
    told, bare = facts["packages"]
    assert told["difference"] == pytest.approx(0.05)
    assert told["has_other_data"] is False
    other = replace(CHAMPION, properties={"InputDataHash": "cafe"})
    assert valid(listed_facts("fraud", [TOLD], other, not_shown=0))["packages"][0]["has_other_data"] is True
    assert (told["version"], told["created"], told["commit"]) == (3, "2026-01-02T03:04:05+00:00", SHA)
    assert told["approval"] == {"status": "PendingManualApproval", "note": "good"}
    assert told["stage"] == {"name": "production", "status": "RolledBack", "note": "ROC AUC 0.5"}
    assert (told["execution_arn"], told["data_hash"], told["code_hash"]) == (EXECUTION, "beef", "c0de")
    assert (told["evaluation"], told["model"], told["image"]) == (REPORT_URI, "s3://models/model.tar.gz", "image")
    assert "quality" not in told
    assert (bare["roc_auc"], bare["difference"], bare["stage"], bare["data_hash"]) == (None,) * 4


def test_an_empty_table_is_valid_too() -> None:
    facts = valid(listed_facts("fraud", [], None, not_shown=0))
    assert (facts["champion"], facts["packages"]) == (None, [])


def test_a_package_in_full_has_its_quality() -> None:
    (package,) = valid(
        shown_facts(Dossier(TOLD, CHAMPION, read_quality(REPORT), {"TrainingInstanceType": "ml.m5.large"}))
    )["packages"]
    assert package["quality"]["items"] == 1000
    assert package["quality"]["metrics"] == {"auc": 0.9476, "precision": 0.7931, "recall": 0.697}
    assert package["quality"]["confusion"] == {"labels": ["0", "1"], "counts": [[961, 6], [10, 23]]}
    assert package["instance_types"] == {"TrainingInstanceType": "ml.m5.large"}


def test_a_package_whose_report_cannot_be_read_has_no_quality() -> None:
    (package,) = valid(shown_facts(Dossier(BARE)))["packages"]
    assert (package["quality"], package["instance_types"]) == (None, {})


def test_a_report_without_a_matrix_has_none() -> None:
    quality = read_quality({"regression_metrics": {"mae": {"value": 1.5}}})
    (package,) = valid(shown_facts(Dossier(BARE, None, quality)))["packages"]
    assert package["quality"] == {"items": None, "metrics": {"mae": 1.5}, "confusion": None}


def test_a_decision_says_what_it_was_and_whose() -> None:
    caller = Caller(ADA, "ada", "https://github.com/org/fraud/actions/runs/7")
    facts = valid(decided_facts(Decided(TOLD, "", "Rejected by ada"), DECISION, caller, Serving(("production",))))
    assert facts["decision"] == {
        "status": "Rejected",
        "stage": "production",
        "changed": True,
        "serves_in": ["production"],
        "caller": {"arn": ADA, "person": "ada", "run": "https://github.com/org/fraud/actions/runs/7"},
    }
    assert (facts["champion"], [package["version"] for package in facts["packages"]]) == (None, [3])


def test_a_decision_of_a_person_has_no_run() -> None:
    facts = valid(decided_facts(Decided(BARE, ""), Decision(approves=True), Caller(ADA), Serving()))
    assert (facts["decision"]["stage"], facts["decision"]["caller"]["run"]) == (None, None)


def test_where_it_serves_is_null_when_it_could_not_be_seen() -> None:
    serving = Serving(("staging",), unseen=("production",))
    facts = valid(decided_facts(Decided(TOLD, ""), DECISION, Caller(ADA), serving))
    assert facts["decision"]["serves_in"] is None


def test_the_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_facts(listed_facts("fraud", [TOLD], None, not_shown=0), path)
    assert valid(json.loads(path.read_text()))["packages"][0]["version"] == 3
    with pytest.raises(ValueError, match="Out of range float"):
        write_facts(listed_facts("fraud", [replace(TOLD, roc_auc=float("nan"))], None, not_shown=0), path)
    assert valid(json.loads(path.read_text()))["packages"][0]["roc_auc"] == 0.95
    assert [each.name for each in tmp_path.iterdir()] == ["facts.json"]
