"""The gate as a table: what an execution looked like, and what the verdict is."""

from dataclasses import dataclass, replace

import pytest

from pipelines.delivery.definition import parse_definition
from pipelines.delivery.gate import Branch, Check, Outcome, Package, Rivals, judge
from pipelines.delivery.snapshot import Execution, Step, Trials
from tests.delivery.pipelines import FAIL_BRANCH, NO_GATE, TWO_BRANCHES
from tests.delivery.scripted import EXECUTION, PACKAGE

EVALUATED = Step("Evaluate", "Processing", "Succeeded")
CHOSE_TRUE = Step("AucGate", "Condition", "Succeeded", outcome=True)
CHOSE_FALSE = replace(CHOSE_TRUE, outcome=False)
REGISTERED = Step("Register", "RegisterModel", "Succeeded", arn=PACKAGE)
TUNED = Step("Tune", "Tuning", "Succeeded", trials=Trials(5, 0, 0, 5, "validation:auc", 0.87, "tune-001"))
REJECTED = Step(
    "EvaluateTuned",
    "Processing",
    "Failed",
    failure_reason="ClientError: AlgorithmError: GateRejected: "
    "tuned model's ROC AUC 0.8412 is not above the threshold 0.85, exit code: 1",
)
SAID_SO_ONLY_AT_EXIT = replace(
    REJECTED,
    failure_reason="ClientError: AlgorithmError: See job logs for more information",
    exit_message="GateRejected: tuned model's ROC AUC 0.8412 is not above the threshold 0.85\nbye",
)
BROKEN = Step("Train", "Training", "Failed", failure_reason="ClientError: AlgorithmError: no column 'fraud'")
TOO_BAD = Step("TooBad", "Fail", "Failed", failure_reason="ROC AUC too low", exit_message="ROC AUC too low")
SILENT = Step("TooBad", "Fail", "Failed")
ALARM = Step("Alarm", "Fail", "Failed", failure_reason="evaluation broke")


@dataclass(frozen=True)
class Case:
    """One row."""

    name: str
    outcome: Outcome
    code: int
    reason: str
    steps: tuple[Step, ...]
    status: str = "Succeeded"
    definition: str = TWO_BRANCHES


CASES = [
    Case("registered at once", "registered", 0, "Register registered model package fraud/3", (CHOSE_FALSE, REGISTERED)),
    Case(
        "registered although a step failed that another one answered",
        "registered",
        0,
        "Register registered model package fraud/3",
        (BROKEN, REGISTERED),
        "CompletedWithFailures",
    ),
    Case(
        "registered, and a challenger was rejected",
        "registered",
        0,
        "Register registered model package fraud/3",
        (REGISTERED, REJECTED),
        "Failed",
    ),
    Case(
        "registered, and then something broke",
        "failed",
        1,
        "Train failed: ClientError: AlgorithmError: no column 'fraud'",
        (REGISTERED, BROKEN),
        "Failed",
    ),
    Case(
        "rejected by a script",
        "rejected",
        3,
        "tuned model's ROC AUC 0.8412 is not above the threshold 0.85",
        (CHOSE_TRUE, TUNED, REJECTED),
        "Failed",
    ),
    Case(
        "rejected by a script whose words only its exit message has",
        "rejected",
        3,
        "tuned model's ROC AUC 0.8412 is not above the threshold 0.85",
        (CHOSE_TRUE, TUNED, SAID_SO_ONLY_AT_EXIT),
        "Failed",
    ),
    Case(
        "rejected by a script while something else broke",
        "failed",
        1,
        "Train failed: ClientError: AlgorithmError: no column 'fraud'; EvaluateTuned failed: ClientError: "
        "AlgorithmError: GateRejected: tuned model's ROC AUC 0.8412 is not above the threshold 0.85, exit code: 1",
        (BROKEN, REJECTED),
        "Failed",
    ),
    Case("rejected by a branch's Fail", "rejected", 3, "ROC AUC too low", (CHOSE_TRUE, TOO_BAD), "Failed", FAIL_BRANCH),
    Case(
        "rejected by a Fail without a message",
        "rejected",
        3,
        "TooBad rejected the model",
        (CHOSE_TRUE, SILENT),
        "Failed",
        FAIL_BRANCH,
    ),
    Case("a Fail in no branch", "failed", 1, "Alarm failed: evaluation broke", (ALARM,), "Failed", FAIL_BRANCH),
    Case(
        "no way led to a registration",
        "rejected",
        3,
        "no step that registers a model was reached (AucGate is true)",
        (EVALUATED, CHOSE_TRUE),
    ),
    Case(
        "nothing was to be registered",
        "finished",
        0,
        "every step succeeded; the pipeline registers no model",
        (EVALUATED,),
        definition=NO_GATE,
    ),
    Case("stopped", "failed", 1, "the execution was stopped", (EVALUATED,), "Stopped"),
    Case("stopped after a registration", "failed", 1, "the execution was stopped", (REGISTERED,), "Stopped"),
    Case("failed before any step", "failed", 1, "the execution ended as Failed", (), "Failed"),
    Case(
        "completed with failures and without a model",
        "failed",
        1,
        "Train failed: ClientError: AlgorithmError: no column 'fraud'",
        (BROKEN,),
        "CompletedWithFailures",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_verdict(case: Case) -> None:
    verdict = judge(ended(case.status, *case.steps), parse_definition(case.definition))
    assert (verdict.outcome, verdict.exit_code, verdict.reason) == (case.outcome, case.code, case.reason)


def test_a_failure_without_failed_steps_gives_the_executions_own_reason() -> None:
    execution = replace(ended("Failed"), failure_reason="The role cannot be assumed")
    assert judge(execution, parse_definition(NO_GATE)).reason == "The role cannot be assumed"


def test_the_numbers_are_those_of_the_roc_auc_check() -> None:
    verdict = judge(ended("Succeeded", CHOSE_TRUE), parse_definition(TWO_BRANCHES), [auc(0.81)])
    assert (verdict.roc_auc, verdict.threshold) == (0.81, 0.85)
    assert verdict.branches == (Branch("AucGate", True),)


def test_two_roc_auc_checks_give_no_number_since_nobody_knows_which_counts() -> None:
    verdict = judge(ended("Succeeded", CHOSE_TRUE), parse_definition(TWO_BRANCHES), [auc(0.81), auc(0.82)])
    assert (verdict.roc_auc, verdict.threshold) == (None, None)
    assert len(verdict.checks) == 2


def test_another_metric_is_no_roc_auc() -> None:
    check = replace(auc(0.81), metric="mse")
    assert judge(ended("Succeeded"), parse_definition(TWO_BRANCHES), [check]).roc_auc is None


def test_a_tuned_package_with_a_report_of_its_own_gives_the_tuned_roc_auc() -> None:
    execution = ended("Succeeded", CHOSE_TRUE, TUNED, replace(REGISTERED, name="RegisterTuned"))
    package = Package(PACKAGE, evaluation="s3://bucket/tuned/evaluation.json", value=0.86)
    verdict = judge(execution, parse_definition(TWO_BRANCHES), [auc(0.81)], Rivals(package))
    assert verdict.tuned_roc_auc == 0.86
    assert verdict.trials == TUNED.trials
    assert verdict.model_package_arn == PACKAGE


def test_a_package_with_the_checked_report_has_no_tuned_roc_auc() -> None:
    package = Package(PACKAGE, evaluation=auc(0.81).evaluation, value=0.81)
    execution = ended("Succeeded", TUNED, REGISTERED)
    assert judge(execution, parse_definition(TWO_BRANCHES), [auc(0.81)], Rivals(package)).tuned_roc_auc is None


def test_without_tuning_there_is_no_tuned_roc_auc() -> None:
    package = Package(PACKAGE, evaluation="s3://bucket/other.json", value=0.9)
    execution = ended("Succeeded", CHOSE_FALSE, REGISTERED)
    assert judge(execution, parse_definition(TWO_BRANCHES), [auc(0.9)], Rivals(package)).tuned_roc_auc is None


def test_a_rejection_tells_the_tuned_roc_auc() -> None:
    execution = ended("Failed", CHOSE_TRUE, TUNED, SAID_SO_ONLY_AT_EXIT)
    assert judge(execution, parse_definition(TWO_BRANCHES), [auc(0.81)]).tuned_roc_auc == 0.8412


def test_what_the_job_said_is_added_to_what_the_service_said() -> None:
    step = replace(BROKEN, failure_reason="ClientError: see logs", exit_message="disk\nfull")
    verdict = judge(ended("Failed", step), parse_definition(NO_GATE))
    assert verdict.reason == "Train failed: ClientError: see logs · disk full"


def auc(value: float) -> Check:
    """A check of the ROC AUC against 0.85."""
    return Check(
        step="AucGate",
        path="binary_classification_metrics.auc.value",
        metric="auc",
        operator="LessThanOrEqualTo",
        value=value,
        threshold=0.85,
        parameter="RocAucThreshold",
        evaluation="s3://bucket/evaluation/evaluation.json",
    )


def ended(status: str, *steps: Step) -> Execution:
    """An execution that has ended."""
    return Execution(EXECUTION, status, None, None, None, steps)
