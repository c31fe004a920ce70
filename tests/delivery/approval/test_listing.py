"""The table of what waits, as it is printed."""

from datetime import timedelta
from typing import Any

import pytest

from pipelines.delivery.approval.listing import headline, table
from pipelines.delivery.packages import ModelPackage
from tests.delivery.registry import SHA, arn_of
from tests.delivery.scripted import START

OTHER_DATA = {"InputDataHash": "cafe"}
NOW = START + timedelta(hours=3)


def package(version: int, roc_auc: float | None = 0.9, **more: Any) -> ModelPackage:
    known = {"approval": "PendingManualApproval", "status": "Completed", "threshold": 0.85, "commit": SHA}
    created = START + timedelta(minutes=version)
    return ModelPackage(arn_of(version), "fraud", version, created=created, roc_auc=roc_auc, **{**known, **more})


def lines(*packages: ModelPackage, champion: ModelPackage | None = None, with_approval: bool = False) -> list[str]:
    return list(table(packages, champion, NOW, with_approval=with_approval))


def test_a_table_has_what_a_first_look_needs() -> None:
    assert lines(package(12, 0.947604), package(7, 0.80314, commit=None), champion=package(3, 0.93)) == [
        "version  ROC AUC  champion  threshold  commit    age",
        "     12   0.9476   +0.0176       0.85  01234567  2 h",
        "      7   0.8031   -0.1269       0.85  unknown   2 h",
    ]


def test_numbers_from_other_data_than_the_champions_are_marked() -> None:
    champion = package(3, 0.93, properties={"InputDataHash": "beef"})
    same, other = package(12, 0.95, properties={"InputDataHash": "beef"}), package(7, 0.8, properties=OTHER_DATA)
    assert [line[:26] for line in lines(other, same, champion=champion)] == [
        "version  ROC AUC  champion",
        "      7   0.8000  *-0.1300",
        "     12   0.9500   +0.0200",
        "* on other data than the c",
    ]
    assert not any("*" in line for line in lines(same, package(2), champion=champion))


def test_what_is_not_known_is_not_guessed() -> None:
    unknown = package(1, None, threshold=None, commit=None)
    assert lines(unknown, champion=package(3))[1].split() == ["1", "unknown", "unknown", "unknown", "2", "h"]
    assert lines(package(1), champion=package(3, None))[1].split() == ["1", "0.9000", "0.85", "01234567", "2", "h"]


def test_a_table_of_all_has_approvals_and_stages() -> None:
    champion = package(2, approval="Approved", stage="production", stage_status="RolledBack")
    assert lines(package(3), champion, package(1, approval="Rejected"), champion=champion, with_approval=True) == [
        "version  ROC AUC  champion  commit    age  approval  stage",
        "      3   0.9000   +0.0000  01234567  2 h  waits",
        "      2   0.9000    itself  01234567  2 h  Approved  production RolledBack",
        "      1   0.9000   +0.0000  01234567  2 h  Rejected",
    ]


def test_of_what_was_deployed_nobody_is_told_that_it_still_is() -> None:
    deployed = package(1, approval="Approved", stage="production", stage_status="Deployed")
    assert lines(deployed, with_approval=True)[1].endswith("Approved  was deployed to production")


def test_a_package_that_is_not_whole_says_so() -> None:
    header, whole, broken = lines(package(2), package(1, status="Failed"))
    assert (header.split()[-1], whole.split()[-1], broken.split()[-1]) == ("status", "Completed", "Failed")


@pytest.mark.parametrize("with_approval", [True, False])
def test_it_fits_into_80_columns(with_approval: bool) -> None:
    widest = package(123456, -0.5, stage="production", stage_status="RolledBack", status="InProgress")
    champion = package(3, 0.9999)
    assert max(map(len, lines(widest, champion=champion, with_approval=with_approval))) <= 80 + 12 * with_approval


@pytest.mark.parametrize(
    ("waiting", "champion", "text"),
    [
        (0, None, "fraud: nothing waits for approval; champion: none yet"),
        (1, package(3, 0.93), "fraud: 1 version waits for approval; champion: version 3, ROC AUC 0.9300"),
        (2, package(3, None), "fraud: 2 versions wait for approval; champion: version 3, ROC AUC unknown"),
    ],
)
def test_the_headline_says_how_many_wait_and_for_what(waiting: int, champion: ModelPackage | None, text: str) -> None:
    assert headline("fraud", waiting, champion) == text
