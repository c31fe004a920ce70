"""The outcome for machines, held against its published schema."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelines.delivery.outcome import make_outcome, write_outcome
from tests.delivery.pipelines import NO_GATE
from tests.delivery.runs import finish, run_of, script
from tests.delivery.scripted import ACCOUNT, EARLIER, EXECUTION, PACKAGE, entry, job, trained

DOCS = Path(__file__).parents[2] / "docs"
PREPROCESS = entry("Preprocess", "Failed", metadata=job("ProcessingJob", "prep"), FailureReason="ClientError: no file")


def valid(outcome: dict[str, Any]) -> dict[str, Any]:
    """The outcome as a reader gets it, after a check against the schema."""
    document: dict[str, Any] = json.loads(json.dumps(outcome, allow_nan=False))
    jsonschema.validate(document, json.loads((DOCS / "outcome.schema.json").read_text()))
    return document


def test_the_outcome_of_a_registration_says_all_of_it() -> None:
    outcome = valid(make_outcome(finish(script(), explain=lambda _: {"Evaluate": "the image changed"})))
    assert (outcome["outcome"], outcome["exit_code"], outcome["execution_status"]) == ("registered", 0, "Succeeded")
    assert (outcome["execution_arn"], outcome["pipeline"], outcome["seconds"]) == (EXECUTION, "fraud", 12.5)
    assert outcome["parameters"] == {"RocAucThreshold": 0.85, "InputData": "s3://bucket/data"}
    assert outcome["model_package_arn"] == PACKAGE
    assert outcome["artifacts"] == {
        "model": "s3://bucket/models/tune-001/output/model.tar.gz",
        "evaluation": "s3://bucket/tuned/evaluation.json",
    }
    assert outcome["steps_not_run"] == ["Register"]


def test_the_verdict_has_its_numbers() -> None:
    verdict = valid(make_outcome(finish(script())))["verdict"]
    assert (verdict["roc_auc"], verdict["threshold"], verdict["tuned_roc_auc"]) == (0.8071, 0.85, 0.8643)
    assert verdict["branches"] == [{"step": "AucGate", "outcome": True}]
    assert verdict["trials"]["completed"] == verdict["trials"]["total"] == 5


def test_a_step_has_its_metrics_its_cache_hit_and_its_log() -> None:
    train, evaluate, *_ = valid(make_outcome(finish(script(), explain=lambda _: {"Evaluate": "the image changed"})))[
        "steps"
    ]
    assert (train["cache_hit"], train["cache_reason"]) == ({"source": EARLIER}, None)
    assert train["metrics"] == {"train:auc": 0.95, "validation:auc": 0.8112}
    assert train["job_arn"] == f"{ACCOUNT}:training-job/train"
    assert train["log"] == "/aws/sagemaker/TrainingJobs/train"
    assert (evaluate["cache_hit"], evaluate["cache_reason"], evaluate["seconds"]) == (None, "the image changed", 2.0)


def test_the_outcome_of_a_failure_is_valid_and_has_the_steps_reason() -> None:
    outcome = valid(make_outcome(finish(script("Failed", [PREPROCESS]), run=run_of(NO_GATE))))
    assert (outcome["outcome"], outcome["exit_code"]) == ("failed", 1)
    assert outcome["steps"][0]["failure_reason"] == "ClientError: no file"
    assert (outcome["steps_not_run"], outcome["model_package_arn"]) == (["Train"], None)


def test_a_metric_that_is_no_number_is_null_since_json_has_no_nan() -> None:
    steps = [entry("Train", metadata=job("TrainingJob", "train"))]
    service = script(steps=steps, DescribeTrainingJob=trained(auc=float("nan")))
    assert valid(make_outcome(finish(service, run=run_of(NO_GATE))))["steps"][0]["metrics"] == {"auc": None}


def test_the_file_is_whole_and_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "outcome.json"
    path.write_text("the one before")
    outcome = make_outcome(finish(script()))
    write_outcome(outcome, path)
    assert json.loads(path.read_text()) == outcome
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_finished_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "outcome.json"
    path.write_text("the one before")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_outcome({"seconds": float("inf")}, path)
    assert path.read_text() == "the one before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_documented_example_is_valid() -> None:
    example = re.search(r"```json\n(.*?)```", (DOCS / "outcome.md").read_text(), re.DOTALL)
    assert example
    valid(json.loads(example[1]))


def test_every_member_of_the_schema_is_documented() -> None:
    schema = json.loads((DOCS / "outcome.schema.json").read_text())
    text = (DOCS / "outcome.md").read_text()
    names = {*schema["properties"], *schema["$defs"]["step"]["properties"], *schema["$defs"]["trials"]["properties"]}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
