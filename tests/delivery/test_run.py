"""A run from its start to its numbers."""

import pytest

from pipelines.delivery.errors import UsageError
from pipelines.delivery.pipeline import PipelineOrder
from pipelines.delivery.run import launch, review
from tests.delivery.pipelines import AT_MOST_THRESHOLD, REPORT, definition, gate, metric, step
from tests.delivery.runs import REPORTS, finish, run_of, script, site
from tests.delivery.scripted import EXECUTION, PIPELINE, ROLE, Answers, Script, ServiceRefusal, entry, job, processed

NEW: dict[str, Answers] = {
    "DescribePipeline": ServiceRefusal("ResourceNotFound", "no such pipeline"),
    "CreatePipeline": {"PipelineArn": PIPELINE},
    "StartPipelineExecution": {"PipelineExecutionArn": EXECUTION},
}
EVALUATED = entry("Evaluate", metadata=job("ProcessingJob", "evaluate"))
CHOSE = entry("AucGate", metadata={"Condition": {"Outcome": "True"}})


def order(text: str) -> PipelineOrder:
    return PipelineOrder("fraud", text, ROLE)


def test_a_launch_creates_and_starts() -> None:
    service, run = Script(NEW), run_of(RocAucThreshold="0.9")
    launched = launch(site(service), order(run.definition.text), run)
    assert (launched.arn, launched.change) == (EXECUTION, "created")
    assert service.names() == ["DescribePipeline", "CreatePipeline", "StartPipelineExecution"]


def test_a_wrong_parameter_is_found_before_anything_is_sent() -> None:
    service, run = Script(NEW), run_of(Typo="0.9")
    with pytest.raises(UsageError, match="unknown parameter 'Typo'"):
        launch(site(service), order(run.definition.text), run)
    assert service.calls == []


def test_a_tuned_model_is_registered_with_both_numbers() -> None:
    result = finish(script())
    verdict = result.verdict
    assert (verdict.outcome, verdict.roc_auc, verdict.threshold, verdict.tuned_roc_auc) == (
        "registered",
        0.8071,
        0.85,
        0.8643,
    )
    assert result.package
    assert result.package.model == "s3://bucket/models/tune-001/output/model.tar.gz"


def test_a_review_says_what_the_command_that_followed_said_and_changes_nothing() -> None:
    service = script(
        DescribePipelineDefinitionForExecution={"PipelineDefinition": run_of().definition.text},
        ListPipelineParametersForExecution={"PipelineParameters": []},
    )
    assert review(site(service), EXECUTION) == finish(script())
    assert {name[:3] for name in service.names()} <= {"Des", "Lis", "Get"}


def test_a_threshold_that_was_given_wins_over_the_default() -> None:
    assert finish(script(), run=run_of(RocAucThreshold="0.75")).verdict.threshold == 0.75


def test_a_number_is_read_once_however_many_need_it() -> None:
    service = script()
    finish(service)
    assert [request["uri"] for request in service.sent("GetObject")] == list(REPORTS)


def test_reasons_of_cache_misses_are_asked_for_the_execution() -> None:
    asked: list[str] = []

    def explain(arn: str) -> dict[str, str]:
        asked.append(arn)
        return {"Evaluate": "the image changed"}

    assert finish(script(), explain=explain).cache_reasons == {"Evaluate": "the image changed"}
    assert asked == [EXECUTION]


@pytest.mark.parametrize(
    ("folder", "why"),
    [("s3://bucket/missing", "no such object"), ("s3://bucket/text", "no JSON"), ("s3://bucket/other", "no such path")],
)
def test_a_number_that_cannot_be_read_is_none_and_the_verdict_stands(folder: str, why: str) -> None:
    service = script(steps=[EVALUATED, CHOSE], DescribeProcessingJob=processed(folder))
    service._objects = {
        "s3://bucket/text/evaluation.json": "auc=0.9",
        "s3://bucket/other/evaluation.json": '{"auc": 1}',
    }
    verdict = finish(service).verdict
    assert (verdict.outcome, verdict.roc_auc, verdict.threshold) == ("rejected", None, 0.85), why


def test_a_condition_without_a_report_has_no_check() -> None:
    equal = {"Type": "Equals", "LeftValue": {"Get": "Parameters.Mode"}, "RightValue": "fast"}
    text = definition([gate("AucGate", [equal], yes=[step("Register", "RegisterModel")], no=[])])
    assert finish(script(steps=[CHOSE]), run=run_of(text)).verdict.checks == ()


@pytest.mark.parametrize("wrap", ["Not", "Or"])
def test_a_check_inside_another_condition_is_found(wrap: str) -> None:
    inner = {"Type": "Not", "Condition": AT_MOST_THRESHOLD}
    outer = inner if wrap == "Not" else {"Type": "Or", "Conditions": [AT_MOST_THRESHOLD]}
    text = definition([step("Evaluate", "Processing", PropertyFiles=REPORT), gate("AucGate", [outer], yes=[], no=[])])
    assert finish(script(steps=[EVALUATED, CHOSE]), run=run_of(text)).verdict.roc_auc == 0.8071


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("regression_metrics.mse.value", "mse", 4.5),
        ("$.regression_metrics['mse'].value", "mse", 4.5),
        ("folds[1].auc", "auc", 0.7),
        ("folds[9].auc", "auc", None),
    ],
)
def test_a_report_is_read_by_its_path(path: str, name: str, value: float | None) -> None:
    low = {"Type": "LessThan", "LeftValue": 6.0, "RightValue": metric(path)}
    text = definition([step("Evaluate", "Processing", PropertyFiles=REPORT), gate("AucGate", [low], yes=[], no=[])])
    service = script(steps=[EVALUATED, CHOSE])
    report = '{"regression_metrics": {"mse": {"value": 4.5}}, "folds": [{"auc": 0.6}, {"auc": "0.7"}]}'
    service._objects = {"s3://bucket/untuned/evaluation.json": report}
    (check,) = finish(service, run=run_of(text)).verdict.checks
    assert (check.metric, check.value, check.threshold, check.parameter) == (name, value, 6.0, None)


def test_a_threshold_that_only_the_run_knows_is_none() -> None:
    computed = {"Type": "LessThan", "LeftValue": metric(), "RightValue": {"Get": "Steps.Other.Threshold"}}
    text = definition(
        [step("Evaluate", "Processing", PropertyFiles=REPORT), gate("AucGate", [computed], yes=[], no=[])]
    )
    verdict = finish(script(steps=[EVALUATED, CHOSE]), run=run_of(text)).verdict
    assert (verdict.roc_auc, verdict.threshold) == (0.8071, None)
