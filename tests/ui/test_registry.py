"""The pages of the registry: groups, the versions of one, some of them side by side, and one in full."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.delivery.run import Site
from pipelines.fraud.settings import MODEL_PACKAGE_GROUP_NAME
from pipelines.ui.pages.registry import MOST_COUNTED, PER_PAGE
from pipelines.ui.server import Server
from tests.delivery.registry import GROUP, REPORT, SHA, SPECIFICATION, add, put_report
from tests.local.documents import XGBOOST
from tests.ui.browsing import Answer, Client

PLACE = f"/registry/{GROUP}"


@pytest.fixture
def site(fresh: tuple[Site, Server]) -> Site:
    return fresh[0]


@pytest.fixture
def client(fresh: tuple[Site, Server]) -> Client:
    return Client(fresh[1].url)


def made_of(data: str, **more: Any) -> dict[str, Any]:
    """The members of a package of some data."""
    properties = {"InputDataHash": data, "CodeHash": "c0de", "RocAuc": "0.9", "RocAucThreshold": "0.85"}
    return {"CustomerMetadataProperties": properties, **more}


def versions_in(answer: Answer) -> list[str]:
    """The rows of versions in their order."""
    return [name for name in answer.page.parts if name.startswith("version-")]


def rows_of(client: Client, address: str) -> dict[str, str]:
    """What the comparison says in each row, by the row's name."""
    told = client.get(address).text
    found: Iterator[str] = iter(told.split("<tr")[1:])
    rows = (row.partition("</tr>")[0] for row in found)
    return {row.partition('scope="row">')[2].partition("<")[0]: row for row in rows}


def test_a_registry_without_groups_says_how_one_comes_to_be(client: Client) -> None:
    answer = client.get("/registry")
    assert (answer.status, "No model is registered yet" in answer.words) == (200, True)


def test_a_group_tells_what_waits_and_what_is_in_use(site: Site, client: Client) -> None:
    add(site.client, 0.9, approval="Approved")
    add(site.client, 0.91)
    add(site.client, 0.92)
    add(site.client, 0.7, group="other")
    answer = client.get("/registry")
    assert "waiting for a decision 2 versions champion version 1 , ROC AUC 0.9" in answer.section(f"group-{GROUP}")
    assert "1 version champion none yet" in answer.section("group-other")
    for _ in range(MOST_COUNTED):
        add(site.client)
    assert f"{MOST_COUNTED} versions or more" in client.get("/registry").section(f"group-{GROUP}")
    assert list(answer.page.parts).index("group-other") < list(answer.page.parts).index(f"group-{GROUP}")


def test_versions_are_held_against_the_champion(site: Site, client: Client) -> None:
    add(site.client, 0.9, approval="Approved")
    add(site.client, 0.95)
    add(site.client, None, approval="Rejected")
    answer = client.get(PLACE)
    assert [name for name in answer.page.parts if name.startswith("version-")] == [
        "version-3",
        "version-2",
        "version-1",
    ]
    assert "Waits" in answer.section("version-2")
    assert "+0.05" in answer.section("version-2")
    assert "champion" in answer.section("version-1")
    assert ("Rejected" in answer.section("version-3"), "unknown" in answer.section("version-3")) == (True, True)
    assert SHA[:8] in answer.section("version-1")


def test_numbers_from_other_data_say_so_wherever_they_stand_and_beside_approve(site: Site, client: Client) -> None:
    put_report(site.s3)
    add(site.client, approval="Approved", **made_of("beef"))
    worse = made_of("cafe")
    worse["CustomerMetadataProperties"]["RocAuc"] = "0.89"
    add(site.client, **worse)
    add(site.client, **made_of("beef"))
    group, version = client.get(PLACE), client.get(f"{PLACE}/2")
    assert "−0.01 on other data" in group.section("version-2")
    assert "on other data" not in group.section("version-3")
    assert "−0.01, on other data" in rows_of(client, f"{PLACE}/compare?version=1&version=2")["against version 1"]
    said = version.section("cautions")
    assert said.startswith("It is worse than the champion, version 1: its ROC AUC is 0.8900, 0.0100 below 0.9000.")
    assert "measured on different test sets, of data cafe and beef" in said
    assert version.text.index('id="cautions"') < version.text.index('value="approve"')
    for calm in (1, 3):
        assert "cautions" not in client.get(f"{PLACE}/{calm}").page.parts


def test_what_has_the_same_model_file_names_the_first_version_of_it(site: Site, client: Client) -> None:
    for _ in range(3):
        add(site.client)
    other = {**SPECIFICATION, "Containers": [{"Image": XGBOOST, "ModelDataUrl": "s3://models/other.tar.gz"}]}
    add(site.client, InferenceSpecification=other)
    answer = client.get(PLACE)
    same = [name for name in versions_in(answer) if "the model of version 1" in answer.section(name)]
    assert same == ["version-3", "version-2"]
    assert "the model of" not in answer.section("version-4")


def test_a_version_is_not_said_to_measure(site: Site, client: Client) -> None:
    put_report(site.s3)
    add(site.client)
    assert "Measured on 1 000 rows that no training saw." in client.get(f"{PLACE}/1").words


def test_many_versions_are_on_pages(site: Site, client: Client) -> None:
    for _ in range(PER_PAGE + 2):
        add(site.client)
    first = client.get(PLACE)
    (older,) = [link for link, words in first.page.links.items() if words.strip() == "Older"]
    second = client.get(older)
    assert len(versions_in(first)) == PER_PAGE
    assert versions_in(second) == ["version-2", "version-1"]
    assert "Newest" in second.words
    assert "Older" not in second.words


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/registry/nowhere", "there is no model package group nowhere"),
        ("/registry/nowhere/1", "there is no model package group nowhere"),
        (f"{PLACE}/7", f"{GROUP} has no version 7: there is only 1"),
        (f"{PLACE}/compare?version=1&version=7", f"{GROUP} has no version 7: there is only 1"),
        (f"{PLACE}/compare?version=%3Cb%3E", "'<b>' is no model package"),
        (f"{PLACE}/{'9' * 5000}", "no model package"),
        (f"{PLACE}/one", "'one' is no model package"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(site: Site, client: Client, address: str, says: str) -> None:
    add(site.client)
    answer = client.get(address)
    assert (answer.status, says in answer.words) == (404, True), answer.words


def test_versions_stand_side_by_side_and_what_they_are_made_of_is_marked_where_it_differs(
    site: Site, client: Client
) -> None:
    put_report(site.s3)
    add(site.client, approval="Approved", **made_of("beef"))
    add(site.client, **made_of("cafe"))
    rows = rows_of(client, f"{PLACE}/compare?version=1&version=2")
    assert "differs" in rows["data hash"]
    assert ("beef" in rows["data hash"], "cafe" in rows["data hash"]) == (True, True)
    assert "differs" not in rows["commit"]
    assert rows["recall"].count("0.697") == 2
    assert "itself" in rows["against version 1"]


def test_a_version_without_a_report_stands_beside_one_with_it(site: Site, client: Client) -> None:
    site.s3.create_bucket(Bucket="reports")
    site.s3.put_object(Bucket="reports", Key="evaluation.json", Body=json.dumps(REPORT))
    add(site.client)
    add(site.client, ModelMetrics={})
    row = rows_of(client, f"{PLACE}/compare")["recall"]
    assert row.index("unknown") < row.index("0.697")


def test_more_than_four_versions_are_too_many_to_stand_side_by_side(site: Site, client: Client) -> None:
    for _ in range(6):
        add(site.client)
    chosen = "&".join(f"version={number}" for number in range(1, 7))
    answer = client.get(f"{PLACE}/compare?{chosen}")
    assert "Four fit beside each other: 2 more were left out" in answer.words
    assert f"{PLACE}/4" in answer.page.links
    assert f"{PLACE}/5" not in answer.page.links


def test_a_version_is_told_in_full(site: Site, client: Client) -> None:
    put_report(site.s3)
    add(site.client, 0.9, approval="Approved")
    add(site.client, 0.95)
    answer = client.get(f"{PLACE}/2")
    for words in ("version 1, 0.9000, this one +0.0500", SHA, "0.697", "Confusion matrix", "beef"):
        assert words in answer.words, words
    assert "/pipelines/fraud/executions/abcdefghijkl" in answer.page.links
    assert f"approve-model 2 --approve --note WHY --group {GROUP} --local" in answer.words


def test_an_approved_version_that_serves_nowhere_says_how_it_gets_there(site: Site, client: Client) -> None:
    add(site.client, approval="Approved")
    assert f"deploy-model --stage staging --model-package 1 --group {GROUP} --local" in client.get(f"{PLACE}/1").words


def test_what_packages_say_of_themselves_never_acts_on_the_page(site: Site, client: Client) -> None:
    hostile = "<script>alert(1)</script>"
    add(site.client, ModelPackageDescription=hostile, **made_of("<img src=x>"))
    for address in (PLACE, f"{PLACE}/1", f"{PLACE}/compare"):
        told = client.get(address).text
        assert ("<script>alert" in told, "<img" in told) == (False, False), address
    assert hostile in client.get(f"{PLACE}/1").words


def test_the_list_and_the_comparison_say_what_serves_now(workshop: tuple[Site, Server]) -> None:
    place = f"/registry/{MODEL_PACKAGE_GROUP_NAME}"
    client = Client(workshop[1].url)
    listed = client.get(place)
    assert "serves in staging" in listed.section("version-1")
    # What it was deployed to and serves in is not said as if it were over.
    assert "was deployed" not in listed.section("version-1")
    assert "serves in" not in listed.section("version-2")
    row = rows_of(client, f"{place}/compare?version=1&version=2")["serves now"]
    assert row.index("staging") < row.index("nowhere")
