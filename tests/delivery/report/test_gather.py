"""Facts gathered from a service whose answers are written here, and what a refusal of it costs."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.places import Places
from pipelines.delivery.report import html, markdown
from pipelines.delivery.report.facts import Facts
from pipelines.delivery.report.gather import gather
from tests.delivery.report.examples import document
from tests.delivery.runs import TUNED_STEPS, finish, run_of, site
from tests.delivery.scripted import (
    ACCOUNT,
    PACKAGE,
    Answers,
    Script,
    ServiceRefusal,
    described,
    entry,
    job,
    listed,
    moment,
    packaged,
    processed,
    trained,
    tuning,
)

CHAMPION = f"{ACCOUNT}:model-package/fraud/2"
IMPORTANCE = json.dumps({"feature_importance": {"age": 3, "claims": 1}})
OBJECTS = {
    "s3://bucket/untuned/evaluation.json": json.dumps(document(0.8071)),
    "s3://bucket/untuned/feature_importance.json": IMPORTANCE,
    "s3://bucket/tuned/evaluation.json": json.dumps(document(0.8643)),
    "s3://bucket/champion/evaluation.json": json.dumps(document(0.85)),
}


def trial(number: int, value: float | None) -> dict[str, Any]:
    """One trial of ListTrainingJobsForHyperParameterTuningJob's answer."""
    metric = {"Type": "Maximize", "MetricName": "validation:auc", "Value": value}
    return {
        "TrainingJobName": f"tune-00{number}",
        "TrainingJobArn": f"{ACCOUNT}:training-job/tune-00{number}",
        "CreationTime": moment(number),
        "TrainingStartTime": moment(number),
        "TrainingEndTime": moment(number + 2),
        "TrainingJobStatus": "Completed" if value is not None else "Failed",
        "TunedHyperParameters": {"eta": "0.1"},
    } | ({"FinalHyperParameterTuningJobObjectiveMetric": metric} if value is not None else {})


TRIALS = {"TrainingJobSummaries": [trial(2, None), trial(1, 0.8701)]}
APPROVED = {"ModelPackageArn": CHAMPION, "ModelPackageStatus": "Completed", "CreationTime": moment(0)}


def package(request: dict[str, Any]) -> dict[str, Any]:
    """The package of the run, or the champion."""
    arn = request["ModelPackageName"]
    if arn == CHAMPION:
        return packaged("s3://bucket/champion/evaluation.json") | {"ModelPackageArn": CHAMPION}
    return packaged("s3://bucket/tuned/evaluation.json") | {
        "ModelPackageGroupName": "fraud",
        "ModelApprovalStatus": "PendingManualApproval",
        "MetadataProperties": {"CommitId": "0123abcd"},
        "CustomerMetadataProperties": {"InputDataHash": "beef"},
    }


def service(
    *, steps: Any = TUNED_STEPS, status: str = "Succeeded", objects: Mapping[str, str] = OBJECTS, **answers: Answers
) -> Script:
    """A service with all that a report asks for."""
    return Script(
        {
            "DescribePipelineExecution": described(status),
            "ListPipelineExecutionSteps": listed(*steps),
            "DescribeTrainingJob": trained(validation__auc=0.8112),
            "DescribeHyperParameterTuningJob": tuning(5, 0, best=0.8701) | {"BestTrainingJob": trial(1, 0.8701)},
            "DescribeProcessingJob": processed("s3://bucket/untuned"),
            "DescribeLogStreams": {"logStreams": []},
            "DescribeModelPackage": package,
            "ListModelPackages": {"ModelPackageSummaryList": [APPROVED]},
            "ListTrainingJobsForHyperParameterTuningJob": TRIALS,
            **answers,
        },
        objects,
    )


def facts_of(made: Script, **parameters: str) -> Facts:
    """The facts of the run on that service."""
    return gather(
        site(made), finish(made, run=run_of(**parameters), explain=lambda _: {"Evaluate": "the image changed"})
    )


def test_all_that_a_report_says_is_found() -> None:
    facts = facts_of(service())
    assert (facts.first_value, facts.tuned_value, facts.threshold) == (0.8071, 0.8643, 0.85)
    assert facts.champion
    assert (facts.champion.name, facts.champion.value) == ("fraud/2", 0.85)
    assert facts.difference == pytest.approx(0.0143)
    assert facts.package
    assert (facts.package.name, facts.package.approval) == ("fraud/3", "PendingManualApproval")
    assert (facts.commit, facts.data_hash) == ("0123abcd", "beef")
    assert facts.importance == (("age", 0.75), ("claims", 0.25))
    assert [report.step for report in facts.reports] == ["Evaluate", "EvaluateTuned"]


def test_steps_have_their_times_their_state_and_their_cache() -> None:
    train, evaluate, *_ = facts_of(service()).steps
    assert (train.state, train.offset, train.seconds, train.cache_reason) == ("cached", 1.0, 2.0, None)
    assert (evaluate.state, evaluate.cache_reason) == ("succeeded", "the image changed")


def test_trials_are_in_the_order_of_their_start_and_the_best_is_marked() -> None:
    found = facts_of(service()).tuning
    assert found
    assert [(each.name, each.value, each.is_best) for each in found.trials] == [
        ("tune-001", 0.8701, True),
        ("tune-002", None, False),
    ]
    assert (found.objective, found.minimize, found.trials[0].hyperparameters) == (
        "validation:auc",
        False,
        {"eta": "0.1"},
    )


def test_every_page_of_trials_is_read() -> None:
    pages: list[dict[str, Any]] = [{**TRIALS, "NextToken": "more"}, {"TrainingJobSummaries": [trial(3, 0.5)]}]
    found = facts_of(service(ListTrainingJobsForHyperParameterTuningJob=pages)).tuning
    assert found
    assert len(found.trials) == 3


def test_the_command_of_an_approval_names_version_and_group() -> None:
    found = facts_of(service()).package
    assert found
    assert found.approve == "approve-model 3 --group fraud --approve"


def test_the_command_of_an_approval_on_this_machine_says_where_the_state_is() -> None:
    result = replace(finish(service()), places=Places(Path("my state")))
    found = gather(site(service()), result).package
    assert found
    assert found.approve == "approve-model 3 --group fraud --approve --local --local-root 'my state'"


def test_the_graph_has_the_untaken_branch_and_the_numbers_of_the_gate() -> None:
    nodes = {node.name: node for node in facts_of(service()).graph.nodes}
    assert nodes["Register"].state == "not taken"
    assert nodes["AucGate"].note == "0.8071 ≤ 0.85"


def test_the_hash_of_the_data_is_read_from_their_address() -> None:
    steps = [entry("Train", "Failed", metadata=job("TrainingJob", "train"), FailureReason="AlgorithmError: no")]
    made = service(steps=steps, status="Failed")
    facts = facts_of(made, InputData=f"s3://bucket/fraud/data/{'ab' * 32}/")
    assert (facts.data_hash, facts.commit, facts.package) == ("ab" * 32, None, None)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
def test_trials_that_may_not_be_listed_cost_their_section_only(code: str) -> None:
    refused = ServiceRefusal(code, "no")
    facts = facts_of(service(ListTrainingJobsForHyperParameterTuningJob=refused))
    assert facts.tuning is None
    assert facts.champion
    assert "The trials" not in html.render(facts)
    assert "Registered" in markdown.render(facts)


def test_an_unknown_failure_of_the_service_is_not_hidden() -> None:
    result = finish(service())
    broken = service(ListTrainingJobsForHyperParameterTuningJob=ServiceRefusal("LimitExceeded", "no"))
    with pytest.raises(ClientError, match="LimitExceeded"):
        gather(site(broken), result)


def test_reports_that_are_gone_cost_their_sections_only() -> None:
    facts = facts_of(service(objects={}))
    assert (facts.reports, facts.importance, facts.first_value) == ((), (), None)
    assert "How good the model is" not in html.render(facts)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "[" * 100_000, '"\\ud800"'])
def test_a_spoilt_report_costs_its_section_only(text: str) -> None:
    facts = facts_of(service(objects=OBJECTS | {"s3://bucket/untuned/feature_importance.json": text}))
    assert facts.importance == ()
    assert facts.reports


def test_a_failed_step_has_the_way_to_its_log() -> None:
    steps = [entry("Train", "Failed", metadata=job("TrainingJob", "train"), FailureReason="AlgorithmError: no rows")]
    facts = facts_of(service(steps=steps, status="Failed"))
    assert facts.steps[0].says == "AlgorithmError: no rows"
    assert "aws logs tail" in (facts.steps[0].show_log or "")
    assert (facts.reports, facts.tuning, facts.package) == ((), None, None)


def test_a_stopped_run_was_not_judged() -> None:
    facts = facts_of(service(steps=[entry("Train", "Stopped")], status="Stopped"))
    assert "Stopped: there is no verdict" in markdown.render(facts)


def test_a_cached_report_is_read_from_where_it_is() -> None:
    steps = [
        entry("Evaluate", metadata=job("ProcessingJob", "earlier")),
        entry("Register", metadata={"RegisterModel": {"Arn": PACKAGE}}),
    ]
    facts = facts_of(service(steps=steps, DescribeProcessingJob=processed("s3://bucket/tuned")))
    assert [report.quality.find("auc") for report in facts.reports] == [0.8643]


def test_what_was_listed_is_asked_for_once() -> None:
    made = service(steps=listed(*TUNED_STEPS)["PipelineExecutionSteps"])
    result = finish(made)
    before = len(made.sent("GetObject"))
    gather(site(made), result)
    read = [str(each["uri"]) for each in made.sent("GetObject")[before:]]
    assert len(read) == len(set(read))
