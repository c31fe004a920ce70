"""What a person is told before approving a version that is worse, or that was measured on other data."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.delivery.approval.caution import cautions
from pipelines.delivery.packages import ModelPackage
from tests.delivery.registry import arn_of
from tests.delivery.scripted import START

BEEF, CAFE = {"InputDataHash": "beef" * 16}, {"InputDataHash": "cafe" * 16}


def package(version: int, roc_auc: float | None, properties: dict[str, str] = BEEF, **more: Any) -> ModelPackage:
    known = {"approval": "PendingManualApproval", "status": "Completed", "created": START}
    return ModelPackage(arn_of(version), "fraud", version, roc_auc=roc_auc, properties=properties, **{**known, **more})


CHAMPION = package(1, 0.9476, approval="Approved")
WORSE = "It is worse than the champion, version 1: its ROC AUC is 0.9310, 0.0166 below 0.9476."
SUCCEEDS = "Once it is approved, it is the champion, and deploy-model takes it where no version is named."
OTHER_DATA = (
    "The two were measured on different test sets, of data cafecafe and beefbeef: "
    "the difference says little of which model is better."
)


@pytest.mark.parametrize(
    ("candidate", "told"),
    [
        (package(3, 0.931), [WORSE, SUCCEEDS]),
        (package(3, 0.931, CAFE), [WORSE, SUCCEEDS, OTHER_DATA]),
        (package(3, 0.96, CAFE), [OTHER_DATA]),
        (package(3, 0.96), []),
        (package(3, 0.9476), []),
        (package(3, 0.96, {}), []),
        (package(3, None, CAFE), []),
        (package(3, 0.931, CAFE, approval="Approved"), []),
    ],
)
def test_what_speaks_against_an_approval_is_said(candidate: ModelPackage, told: list[str]) -> None:
    assert list(cautions(candidate, CHAMPION)) == told


def test_an_older_version_takes_no_champions_place() -> None:
    assert list(cautions(package(3, 0.931), replace(CHAMPION, version=5))) == [WORSE.replace("version 1", "version 5")]


def test_without_a_champion_there_is_nothing_to_be_worse_than() -> None:
    assert list(cautions(package(3, 0.1), None)) == []


def test_the_same_labelled_rows_are_the_same_test_set_whatever_else_is_told() -> None:
    rows = "s3://bucket/labelled.csv"
    champion = replace(CHAMPION, labelled_rows=rows)
    assert not package(3, 0.9, CAFE, labelled_rows=rows).has_other_data(champion)
    assert package(3, 0.9, CAFE, labelled_rows="s3://bucket/other.csv").has_other_data(champion)
