"""A run that has ended is held against the champion that it met, however often it is looked at later."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery.packages import are_other_data
from pipelines.delivery.run import Result, Site, review
from pipelines.delivery.summary import summarize
from pipelines.local.session import session
from tests.delivery.runs import finish, run_of
from tests.delivery.test_champion import in_group, no_command, rivalry, run, told


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    opened = session(tmp_path / "root")
    yield Site(opened, 0.01, stops_on_interrupt=True)
    opened.close()


def approve(site: Site, result: Result) -> str:
    arn = str(result.verdict.model_package_arn)
    site.client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    return arn


def champion_now(site: Site, result: Result) -> tuple[str, float] | None:
    """The champion of a run as the page and `--follow` tell it now, and the difference to it."""
    verdict = review(site, result.execution.arn).verdict
    if verdict.champion is None or verdict.difference is None:
        return None
    return verdict.champion.arn, round(verdict.difference, 6)


def test_a_package_of_later_is_not_the_champion_of_an_earlier_run(site: Site) -> None:
    first, second = run(site, "0.9"), run(site, "0.8")
    approve(site, second)
    assert champion_now(site, first) is None
    champion = approve(site, first)
    assert champion_now(site, second) == (champion, -0.1)
    approve(site, run(site, "0.99"))
    assert champion_now(site, second) == (champion, -0.1)
    assert champion_now(site, first) is None


def test_a_run_that_registered_nothing_met_what_was_registered_before_its_end(site: Site) -> None:
    first, below = run(site, "0.9"), run(site, "0.4")
    approve(site, run(site, "0.95"))
    assert (below.verdict.outcome, champion_now(site, below)) == ("rejected", None)
    champion = approve(site, first)
    assert champion_now(site, below) == (champion, -0.5)


HASH = "d" * 64


def of_data(result_hash: str, champion_hash: str | None) -> Result:
    """A run whose package and whose champion are of some data."""
    service = rivalry(with_data(told("0.8543"), champion_hash))
    service._answers["DescribeModelPackage"][0] = with_data(in_group("s3://bucket/tuned/evaluation.json"), result_hash)
    return finish(service)


def with_data(package: dict[str, Any], data: str | None) -> dict[str, Any]:
    properties = {**package.get("CustomerMetadataProperties", {}), **({"InputDataHash": data} if data else {})}
    return {**package, "CustomerMetadataProperties": properties}


@pytest.mark.parametrize(
    ("champion", "says"),
    [
        ("beef", "(model package fraud/2, on other data)"),
        (HASH, "(model package fraud/2)"),
        (None, "(model package fraud/2)"),
    ],
)
def test_numbers_of_different_data_are_said_to_be_that(champion: str | None, says: str) -> None:
    lines = list(summarize(of_data(HASH, champion), no_command, str))
    assert f"  champion       0.8543, this one +0.0100 {says}" in lines


def test_of_a_run_without_a_package_the_parameters_tell_the_data() -> None:
    result = finish(rivalry(told("0.8543")), run=run_of(InputData=f"s3://bucket/data/{HASH}/"))
    assert (result.data_hash, result.has_other_data) == (HASH, False)


@pytest.mark.parametrize(
    ("one", "other", "differ"), [("a", "b", True), ("a", "a", False), ("a", None, False), (None, "a", False)]
)
def test_what_is_not_known_is_not_called_other_data(one: str | None, other: str | None, differ: bool) -> None:
    assert are_other_data(one, other) is differ
