"""One package in full: gathered from a registry, and as it is printed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.approval.dossier import Dossier, gather_dossier
from pipelines.delivery.approval.page import WIDTH, page
from pipelines.delivery.packages import ModelPackage, describe
from pipelines.delivery.places import Places
from pipelines.delivery.report.quality import read_quality
from pipelines.delivery.run import Site
from pipelines.local.boto_session import LocalSession
from tests.delivery.registry import EXECUTION, REPORT, SHA, Account, add, arn_of, described, put_report, summaries
from tests.delivery.scripted import PACKAGE, START, ServiceRefusal
from tests.local.conftest import Client

TYPES = {
    "ProcessingInstanceType": "ml.m5.large",
    "TrainingInstanceType": "ml.m5.large",
    "TuningInstanceType": "ml.c5.xlarge",
}
PARAMETERS = [{"Name": name, "Value": value} for name, value in {**TYPES, "InputData": "s3://bucket/data"}.items()]
EVALUATION = "s3://sagemaker-us-east-1-000000000000/fraud/runs/abcdefghijkl/EvaluateTuned/evaluation/evaluation.json"
BARE = ModelPackage(arn_of(3), "fraud", 3, "PendingManualApproval", "Completed", START)
TOLD = replace(
    BARE,
    roc_auc=0.9476,
    threshold=0.85,
    commit=SHA,
    repository="https://github.com/org/fraud",
    execution=EXECUTION,
    evaluation=EVALUATION,
    image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0",
    description="Probability that an auto-insurance claim is fraudulent, from raw claims joined with customers.",
    content_types=("text/csv", "application/json"),
    instance_types=("ml.m5.large",),
    approval_note="Rejected by ada: wrong | before: Approved by grace: good",
    stage="staging",
    stage_status="Deployed",
    stage_note="tested",
    properties={"InputDataHash": "d" * 64, "CodeHash": "c" * 64},
)


def text_of(dossier: Dossier, places: Places | None = None) -> str:
    return "\n".join(page(dossier, places or Places(), START + timedelta(days=2)))


def answers(**more: Any) -> dict[str, Any]:
    """A registry with one package that has a report and an execution, and an older champion."""
    statistics = {"ContentType": "application/json", "S3Uri": "s3://bucket/report.json"}
    told = {"CustomerMetadataProperties": {"PipelineExecutionArn": EXECUTION}}
    return {
        "ListModelPackages": summaries(1),
        "DescribeModelPackage": described(1, ModelMetrics={"ModelQuality": {"Statistics": statistics}}, **told),
        "ListPipelineParametersForExecution": {"PipelineParameters": PARAMETERS},
        **more,
    }


def gather(service: Account) -> Dossier:
    client = service.session.client("sagemaker")
    return gather_dossier(Site(service.session, 0, stops_on_interrupt=False), describe(client, PACKAGE))


def test_all_is_gathered_on_this_machine(session: LocalSession, sagemaker: Client, s3: Client) -> None:
    put_report(s3)
    add(sagemaker, 0.9, approval="Approved")
    own = describe(sagemaker, add(sagemaker, 0.95, approval="Approved"))
    dossier = gather_dossier(Site(session, 0, stops_on_interrupt=False), own)
    assert (dossier.champion and dossier.champion.version, dossier.package) == (1, own)
    assert dossier.quality == read_quality(REPORT)
    # The execution is not one of this machine.
    assert dossier.instance_types == {}


def test_instance_types_are_those_that_the_execution_was_started_with() -> None:
    assert gather(Account(answers())).instance_types == TYPES


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFound", "ValidationException"])
def test_an_execution_that_may_not_be_seen_costs_its_line_only(code: str) -> None:
    dossier = gather(Account(answers(ListPipelineParametersForExecution=ServiceRefusal(code, "no"))))
    assert (dossier.instance_types, dossier.quality) == ({}, None)
    assert "ran on" not in text_of(dossier)
    assert "there is no report that can be read" in text_of(dossier)


def test_a_throttled_service_is_seen() -> None:
    refusal = ServiceRefusal("ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError, match="Rate exceeded"):
        gather(Account(answers(ListPipelineParametersForExecution=refusal)))


def test_a_package_without_report_and_execution_asks_for_neither() -> None:
    service = Account(answers(DescribeModelPackage=described(1)))
    gather(service)
    assert set(service.names()) == {"DescribeModelPackage", "ListModelPackages"}


def test_a_person_sees_all_that_is_to_decide_by() -> None:
    champion = replace(BARE, arn=arn_of(2), version=2, roc_auc=0.93)
    text = text_of(Dossier(TOLD, champion, read_quality(REPORT), TYPES))
    assert text.startswith("fraud/3: PendingManualApproval\n  Probability that an auto-insurance claim")
    for line in (
        "  ROC AUC      0.9476, threshold 0.85",
        "  champion     version 2, 0.9300, this one +0.0176",
        "  measured on  1,000 rows",
        "  metrics      precision 0.7931, recall 0.6970",
        "                         predicted 0  predicted 1",
        "               actual 0          961            6",
        "               actual 1           10           23",
        "  registered   2026-01-02 03:04 UTC, 2 d ago",
        f"  commit       {SHA}",
        "  repository   https://github.com/org/fraud",
        f"  data hash    {'d' * 64}",
        f"  code hash    {'c' * 64}",
        "  ran on       ml.m5.large (Processing, Training), ml.c5.xlarge (Tuning)",
        "  takes        text/csv, application/json",
        "  instances    ml.m5.large",
        "  approval     PendingManualApproval",
        "               Rejected by ada: wrong",
        "    before     Approved by grace: good",
        "  stage        staging: Deployed",
        "               tested",
    ):
        assert f"{line}\n" in f"{text}\n"
    assert f"\n    {EVALUATION}\n" in text
    assert f"\n    {EXECUTION}\n" in text


def test_only_addresses_are_wider_than_80_columns() -> None:
    text = text_of(Dossier(TOLD, None, read_quality(REPORT), TYPES))
    wide = [line.strip() for line in text.splitlines() if len(line) > WIDTH]
    assert wide == [EVALUATION, EXECUTION]


def test_of_a_package_that_tells_nothing_what_matters_is_called_unknown() -> None:
    text = text_of(Dossier(BARE))
    for line in ("ROC AUC      unknown", "champion     no other version is approved", "execution    unknown"):
        assert line in text
    assert text.count("unknown") == 5
    assert "stage        none yet" in text


def test_the_roc_auc_is_the_reports_where_the_package_does_not_tell_it() -> None:
    champion = replace(BARE, roc_auc=0.9)
    text = text_of(Dossier(BARE, champion, read_quality(REPORT)))
    assert "ROC AUC      0.9476\n" in text
    assert "0.9000, this one +0.0476" in text


def test_a_difference_between_other_data_says_so() -> None:
    champion = replace(BARE, roc_auc=0.93, properties={"InputDataHash": "e" * 64})
    assert "0.9300, this one +0.0176, on other data\n" in text_of(Dossier(TOLD, champion))


def test_on_this_machine_report_and_model_are_files() -> None:
    told = replace(TOLD, model="s3://models/model.tar.gz", evaluation="s3://reports/evaluation.json")
    text = text_of(Dossier(told), Places(Path("root")))
    assert "  report       root/s3/reports/evaluation.json\n" in text
    assert "  model        root/s3/models/model.tar.gz\n" in text


def test_text_of_others_acts_on_no_terminal() -> None:
    text = text_of(Dossier(replace(TOLD, description="a\x1b[2Jb", stage_note="c\rd", approval_note="e\nf")))
    assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_many_classes_have_no_matrix() -> None:
    labels = [str(number) for number in range(6)]
    matrix = {label: dict.fromkeys(labels, 1) for label in labels}
    quality = read_quality({"multiclass_classification_metrics": {"confusion_matrix": matrix}})
    assert "actual" not in text_of(Dossier(BARE, None, quality))
