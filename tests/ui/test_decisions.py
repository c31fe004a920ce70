"""Decisions about versions of a model, taken in a browser."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pipelines.delivery.run import Site
from pipelines.ui.server import Server
from tests.delivery.registry import GROUP, add, arn_of
from tests.ui.windows import Windows

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
