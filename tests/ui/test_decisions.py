"""Decisions about versions of a model, taken in a browser."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pipelines.delivery.run import Site
from pipelines.ui.server import Server
from tests.delivery.registry import GROUP, Account, add, arn_of, described, summaries
from tests.delivery.scripted import ServiceRefusal
from tests.ui.browsing import Client
from tests.ui.windows import Windows

PLACE = f"/registry/{GROUP}/1"
Fresh = tuple[Site, Server]


def package_of(site: Site, version: int = 1) -> Mapping[str, Any]:
    """What the registry has of a version."""
    return site.client.describe_model_package(ModelPackageName=arn_of(version))


def open_version(window: Page, server: Server, version: int = 1) -> None:
    window.goto(f"{server.url}/registry/{GROUP}/{version}")


def test_a_version_is_approved_with_a_note(fresh: Fresh, window: Page) -> None:
    site, server = fresh
    add(site.client)
    open_version(window, server)
    window.get_by_label("Why").fill("finds <b>most</b> of it")
    window.get_by_role("button", name="Approve").click()
    expect(window.locator("#standing")).to_have_text("Approved")
    expect(window.get_by_text("finds <b>most</b> of it")).to_be_visible()
    told = package_of(site)
    assert told["ModelApprovalStatus"] == "Approved"
    assert re.fullmatch(r"Approved by arn:\S+ on .* UTC: finds <b>most</b> of it", told["ApprovalDescription"])
    # What a person loads again is the page, and not the decision.
    window.reload()
    expect(window.locator("#outcome")).to_be_empty()


def test_a_rejection_needs_a_reason(fresh: Fresh, window: Page) -> None:
    site, server = fresh
    add(site.client)
    open_version(window, server)
    window.get_by_role("button", name="Reject").click()
    expect(window.get_by_role("alert")).to_have_text("say why it is rejected: nothing was changed")
    assert package_of(site)["ModelApprovalStatus"] == "PendingManualApproval"
    window.get_by_label("Why").fill("too many false alarms")
    window.get_by_role("button", name="Reject").click()
    expect(window.locator("#standing")).to_have_text("Rejected")
    assert package_of(site)["ApprovalDescription"].endswith("UTC: too many false alarms")


def test_what_a_form_was_answered_stays_while_the_page_looks_for_news(fresh: Fresh, window: Page) -> None:
    site, server = fresh
    add(site.client)
    open_version(window, server)
    window.get_by_role("button", name="Reject").click()
    expect(window.get_by_role("alert")).to_contain_text("say why")
    window.get_by_label("Why").fill("a word")
    with window.expect_response(lambda answer: answer.request.method == "GET"):
        site.client.update_model_package(ModelPackageArn=arn_of(1), ModelApprovalStatus="Approved")
    expect(window.locator("#standing")).to_have_text("Approved")
    expect(window.get_by_role("alert")).to_contain_text("say why")
    expect(window.get_by_label("Why")).to_have_value("a word")


def test_what_was_rejected_is_approved_only_with_force_and_a_reason(fresh: Fresh, window: Page) -> None:
    site, server = fresh
    add(site.client, approval="Rejected")
    open_version(window, server)
    window.get_by_label("Why").fill("measured again")
    window.get_by_role("button", name="Approve").click()
    expect(window.get_by_role("alert")).to_contain_text("was rejected; to approve it all the same")
    assert package_of(site)["ModelApprovalStatus"] == "Rejected"
    expect(window.get_by_label("Why")).to_have_value("measured again")
    window.get_by_label(re.compile("all the same")).check()
    window.get_by_role("button", name="Approve").click()
    expect(window.locator("#standing")).to_have_text("Approved")


def test_a_stage_is_decided_about_by_itself(fresh: Fresh, window: Page) -> None:
    site, server = fresh
    add(site.client, approval="Approved")
    open_version(window, server)
    window.get_by_label("About").select_option("production only")
    window.get_by_role("button", name="Approve").click()
    expect(window.locator("#standing")).to_have_text("Approved · production: Approved")
    stage = package_of(site)["ModelLifeCycle"]
    assert (stage["Stage"], stage["StageStatus"]) == ("production", "Approved")


def test_who_has_not_seen_another_s_decision_decides_nothing(fresh: Fresh, windows: Windows) -> None:
    site, server = fresh
    add(site.client)
    one, other = windows.open(), windows.open()
    for window in (one, other):
        open_version(window, server)
        window.get_by_label("Why").fill("as I see it")
    one.get_by_role("button", name="Reject").click()
    expect(one.locator("#standing")).to_have_text("Rejected")
    told = package_of(site)["ApprovalDescription"]
    # The page shows the news; what was decided on the old state is refused all the same.
    expect(other.locator("#standing")).to_have_text("Rejected")
    expect(other.get_by_label("Why")).to_have_value("as I see it")
    other.get_by_role("button", name="Approve").click()
    expect(other.get_by_role("alert")).to_contain_text(f"{GROUP}/1 is Rejected by now: somebody has decided")
    assert (package_of(site)["ModelApprovalStatus"], package_of(site)["ApprovalDescription"]) == ("Rejected", told)


def test_a_decision_that_stands_already_changes_nothing(fresh: Fresh, window: Page) -> None:
    site, server = fresh
    site.client.update_model_package(ModelPackageArn=add(site.client), ModelApprovalStatus="Approved")
    open_version(window, server)
    window.get_by_role("button", name="Approve").click()
    expect(window.get_by_role("alert")).to_have_text(f"{GROUP}/1 is Approved already; nothing was changed")
    assert "ApprovalDescription" not in package_of(site)


def test_a_version_is_decided_about_without_a_mouse_and_without_scripts(fresh: Fresh, windows: Windows) -> None:
    site, server = fresh
    add(site.client)
    window = windows.open(script=False)
    window.goto(f"{server.url}/registry")
    for name in (f"Versions of {GROUP}", "version 1"):
        press_until(window, name)
        with window.expect_navigation():
            window.keyboard.press("Enter")
    press_until(window, "Why – kept in the registry beside who and when; needed to reject")
    window.keyboard.type("by keys")
    press_until(window, "Reject")
    with window.expect_navigation():
        window.keyboard.press("Enter")
    expect(window.locator("#standing")).to_have_text("Rejected")
    assert package_of(site)["ApprovalDescription"].endswith("by keys")


def sent(server: Server, decision: str) -> dict[str, str]:
    """The fields of a form as its page has them, and a decision."""
    text = Client(server.url).get(PLACE).text
    return dict(re.findall(r'name="(token|seen)" value="([0-9a-f]+)"', text)) | {"decision": decision, "note": "x"}


def test_of_many_decisions_at_once_one_is_taken(fresh: Fresh) -> None:
    site, server = fresh
    add(site.client)
    forms = [sent(server, decision) for decision in ("approve", "reject") * 4]
    with ThreadPoolExecutor(len(forms)) as pool:
        answers = list(pool.map(lambda fields: Client(server.url).post(PLACE, fields), forms))
    assert sorted(answer.status for answer in answers) == [303, *[409] * 7]
    taken = forms[[answer.status for answer in answers].index(303)]["decision"]
    assert package_of(site)["ModelApprovalStatus"] == {"approve": "Approved", "reject": "Rejected"}[taken]
    assert "before" not in package_of(site)["ApprovalDescription"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"decision": "maybe"}, "the form says neither Approve nor Reject"),
        ({"decision": "approve", "stage": "moon"}, "the form says neither Approve nor Reject"),
        ({"decision": "approve", "note": "a\u202eb"}, "the note has U+202E (RIGHT-TO-LEFT OVERRIDE) in it"),
        ({"decision": "approve", "note": "x" * 2000}, "the note has 2000 letters"),
        ({"decision": "approve", "stage": "staging"}, "approve it as a whole first"),
        ({"decision": "approve", "force": "on", "note": " "}, "say why it is approved after all"),
    ],
)
def test_a_form_that_makes_no_sense_changes_nothing(fresh: Fresh, fields: dict[str, str], says: str) -> None:
    site, server = fresh
    add(site.client)
    before = package_of(site)
    answer = Client(server.url).post(PLACE, sent(server, "") | fields)
    assert (answer.status, says in answer.section("outcome")) == (400, True), answer.section("outcome")
    assert {**package_of(site), "ResponseMetadata": None} == {**before, "ResponseMetadata": None}


def test_a_refusal_of_the_registry_is_one_line() -> None:
    refusal = ServiceRefusal("ConflictException", "ConditionalCheckFailed: the model package is being updated")
    account = Account(
        {
            "ListModelPackages": summaries(1),
            "DescribeModelPackage": described(1),
            "DescribeEndpoint": ServiceRefusal("ValidationException", "Could not find endpoint"),
            "UpdateModelPackage": refusal,
        }
    )
    server = Server(Site(account.session, 0, stops_on_interrupt=False))
    try:
        answer = Client(server.url).post(PLACE, sent(server, "approve"))
        assert answer.status == 502
        assert "ConflictException in UpdateModelPackage: ConditionalCheckFailed" in answer.words
    finally:
        server.close()


def press_until(window: Page, name: str) -> None:
    """Go on with the tabulator until what has the focus has a name, and hold that the focus can be seen."""
    for _ in range(40):
        window.keyboard.press("Tab")
        focused = window.locator(":focus")
        label = focused.evaluate("each => (each.labels?.[0] ?? each).textContent.trim().replace(/\\s+/g, ' ')")
        outline = focused.evaluate("each => getComputedStyle(each).outlineStyle")
        assert outline != "none", f"the focus on {label} cannot be seen"
        if label == name:
            return
    pytest.fail(f"no tabulator leads to {name}")
