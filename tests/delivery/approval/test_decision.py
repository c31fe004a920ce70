"""Decisions about model packages: what is written down, what is left alone, and what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.approval.decision import Decided, Decision, check_note, decide
from pipelines.delivery.caller import Caller
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.lifecycle import Stage, StageStatus, history, set_stage
from pipelines.delivery.packages import ModelPackage, describe
from tests.delivery.registry import ADA, Account, add, arn_of, described
from tests.delivery.scripted import ServiceRefusal
from tests.local.conftest import Client

NOW = datetime(2026, 1, 2, 3, 4, 59, tzinfo=UTC)
SIGNED = f"by {ADA} on 2026-01-02 03:04 UTC"
APPROVE, REJECT = Decision(approves=True), Decision(approves=False, note="wrong data")


class Registry:
    """One package in a registry, and decisions about it."""

    def __init__(self, client: Client, **more: Any) -> None:
        self._client = client
        self.arn = add(client, **more)

    def decide(self, decision: Decision, caller: Caller | None = None) -> Decided:
        return decide(self._client, self.package, decision, caller or Caller(ADA), NOW)

    def put(self, stage: Stage, status: StageStatus, note: str = "") -> None:
        set_stage(self._client, self.arn, stage, status, note)

    def refuse(self, decision: Decision) -> str:
        """Take a decision that must be refused, and leave everything as it was."""
        before = self._client.describe_model_package(ModelPackageName=self.arn)
        with pytest.raises(DeliveryError) as caught:
            self.decide(decision)
        after = self._client.describe_model_package(ModelPackageName=self.arn)
        assert {**before, "ResponseMetadata": None} == {**after, "ResponseMetadata": None}
        return str(caught.value)

    @property
    def package(self) -> ModelPackage:
        return describe(self._client, self.arn)


@pytest.fixture
def waiting(sagemaker: Client) -> Registry:
    return Registry(sagemaker)


@pytest.fixture
def approved(sagemaker: Client) -> Registry:
    return Registry(sagemaker, approval="Approved")


@pytest.fixture
def rejected(sagemaker: Client) -> Registry:
    registry = Registry(sagemaker, approval="Rejected")
    sagemaker.update_model_package(ModelPackageArn=registry.arn, ApprovalDescription="worse than the champion")
    return registry


def test_an_approval_says_who_when_and_why(waiting: Registry) -> None:
    decided = waiting.decide(Decision(approves=True, note="good"))
    assert (decided.changed, decided.says) == (True, "fraud/1 is Approved")
    assert waiting.package.approval == "Approved"
    assert waiting.package.approval_note == f"Approved {SIGNED}: good"
    assert decided.package == waiting.package


def test_an_approval_needs_no_reason(waiting: Registry) -> None:
    waiting.decide(APPROVE)
    assert waiting.package.approval_note == f"Approved {SIGNED}"


def test_in_ci_the_person_and_the_run_are_written_down(waiting: Registry) -> None:
    waiting.decide(APPROVE, Caller(ADA, "ada", "https://github.com/org/fraud/actions/runs/7"))
    who = f"ada (https://github.com/org/fraud/actions/runs/7, as {ADA})"
    assert waiting.package.approval_note == f"Approved by {who} on 2026-01-02 03:04 UTC"


def test_a_rejection_says_why(waiting: Registry) -> None:
    decided = waiting.decide(REJECT)
    assert (decided.changed, waiting.package.approval) == (True, "Rejected")
    assert waiting.package.approval_note == f"Rejected {SIGNED}: wrong data"


def test_an_approval_can_be_withdrawn_and_what_stood_there_stays_readable(approved: Registry) -> None:
    approved.decide(REJECT)
    approved.decide(Decision(approves=True, note="the data were right", force=True))
    approved.decide(REJECT)
    assert approved.package.approval_note == (
        f"Rejected {SIGNED}: wrong data | before: Approved {SIGNED}: the data were right"
        f" | before: Rejected {SIGNED}: wrong data"
    )


def test_of_a_long_history_the_beginning_is_kept(waiting: Registry) -> None:
    for _ in range(6):
        waiting.decide(Decision(approves=False, note="x" * 200))
        waiting.decide(Decision(approves=True, note="y" * 200, force=True))
    note = str(waiting.package.approval_note)
    assert (len(note), note[-1]) == (1024, "…")
    assert note.startswith(f"Approved {SIGNED}: {'y' * 200} | before: Rejected {SIGNED}: {'x' * 200} | before: ")


@pytest.mark.parametrize("decision", [APPROVE, Decision(approves=True, note="again", force=True)])
def test_what_is_approved_already_is_left_alone(approved: Registry, decision: Decision) -> None:
    before = approved.package
    decided = approved.decide(decision)
    assert (decided.changed, decided.says) == (False, "fraud/1 is Approved already")
    assert approved.package == before == decided.package


def test_what_is_rejected_already_is_left_alone_and_says_why_it_was(rejected: Registry) -> None:
    before = rejected.package
    decided = rejected.decide(REJECT)
    assert (decided.changed, decided.says) == (False, "fraud/1 is Rejected already: worse than the champion")
    assert rejected.package == before


def test_a_rejected_package_is_approved_by_force_only(rejected: Registry) -> None:
    assert rejected.refuse(APPROVE) == (
        "fraud/1 was rejected: worse than the champion; to approve it all the same, add --force and say why with --note"
    )
    decided = rejected.decide(Decision(approves=True, note="we want it", force=True))
    assert (decided.changed, rejected.package.approval) == (True, "Approved")
    assert str(rejected.package.approval_note).endswith(": we want it | before: worse than the champion")


def test_a_rejected_package_without_a_note_is_refused_too(sagemaker: Client) -> None:
    assert Registry(sagemaker, approval="Rejected").refuse(APPROVE).startswith("fraud/1 was rejected; to approve it")


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Failed", "Deleting"])
def test_a_package_that_is_not_whole_is_not_approved(status: str) -> None:
    service = Account({"DescribeModelPackage": described(ModelPackageStatus=status)})
    client = service.session.client("sagemaker")
    decision = Decision(approves=True, note="please", force=True)
    with pytest.raises(DeliveryError, match=f"fraud/1 is {status}: only a package that is Completed can be approved"):
        decide(client, describe(client, arn_of(1)), decision, Caller(ADA), NOW)
    assert service.sent("UpdateModelPackage") == []


def test_a_package_that_is_not_whole_can_be_rejected() -> None:
    service = Account({"DescribeModelPackage": described(ModelPackageStatus="Failed"), "UpdateModelPackage": {}})
    client = service.session.client("sagemaker")
    decide(client, describe(client, arn_of(1)), REJECT, Caller(ADA), NOW)
    assert [request["ModelApprovalStatus"] for request in service.sent("UpdateModelPackage")] == ["Rejected"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ConflictException"])
def test_what_aws_refuses_is_an_error(code: str) -> None:
    refusal = ServiceRefusal(code, "no")
    service = Account({"DescribeModelPackage": described(), "UpdateModelPackage": refusal})
    client = service.session.client("sagemaker")
    with pytest.raises(ClientError, match=code):
        decide(client, describe(client, arn_of(1)), APPROVE, Caller(ADA), NOW)


# Stages


@pytest.mark.parametrize("decision", [APPROVE, REJECT])
@pytest.mark.parametrize("approval", ["PendingManualApproval", "Rejected"])
def test_a_stage_is_for_what_is_approved_as_a_whole(sagemaker: Client, decision: Decision, approval: str) -> None:
    registry = Registry(sagemaker, approval=approval)
    wanted = Decision(decision.approves, decision.note, "production", force=decision.approves)
    assert registry.refuse(wanted) == f"fraud/1 is {approval}: approve it as a whole first, without --stage"


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_a_stage_is_approved_beside_the_package_itself(approved: Registry, stage: Stage) -> None:
    decided = approved.decide(Decision(approves=True, note="good", stage=stage))
    package = approved.package
    assert (decided.changed, decided.says) == (True, f"fraud/1 is Approved, {stage}: Approved")
    assert (package.stage, package.stage_status, package.stage_note) == (stage, "Approved", f"Approved {SIGNED}: good")
    assert (package.approval, package.approval_note) == ("Approved", None)
    assert decided.package == package


def test_the_approval_of_production_keeps_what_staging_said(approved: Registry) -> None:
    approved.put("staging", "Deployed", "tested: ROC AUC 0.95")
    approved.decide(Decision(approves=True, stage="production"))
    assert approved.package.stage_note == f"Approved {SIGNED} | before: staging Deployed: tested: ROC AUC 0.95"


@pytest.mark.parametrize(
    ("stage", "status", "wanted"),
    [
        ("staging", "Approved", "staging"),
        ("production", "Approved", "production"),
        ("production", "Approved", "staging"),
        ("production", "Deployed", "staging"),
    ],
)
def test_a_stage_that_is_reached_already_is_left_alone(
    approved: Registry, stage: Stage, status: StageStatus, wanted: Stage
) -> None:
    approved.put(stage, status, "before")
    before = approved.package
    decided = approved.decide(Decision(approves=True, stage=wanted))
    assert (decided.changed, decided.says) == (False, f"fraud/1 is {status} in {stage} already: before")
    assert approved.package == before


def test_a_stage_that_is_rejected_already_is_left_alone(approved: Registry) -> None:
    rejection = Decision(approves=False, note="not yet", stage="production")
    assert approved.decide(rejection).changed
    assert not approved.decide(rejection).changed
    assert approved.package.stage_note == f"Rejected {SIGNED}: not yet"


@pytest.mark.parametrize("wanted", ["staging", "production"])
@pytest.mark.parametrize("status", ["Rejected", "RolledBack"])
def test_what_a_stage_turned_down_is_approved_by_force_only(
    approved: Registry, status: StageStatus, wanted: Stage
) -> None:
    approved.put("staging", status, "ROC AUC 0.5")
    assert approved.refuse(Decision(approves=True, stage=wanted)) == (
        f"fraud/1 is {status} in staging: ROC AUC 0.5; to approve it all the same, add --force and say why with --note"
    )
    approved.decide(Decision(approves=True, note="the test was wrong", stage=wanted, force=True))
    assert (approved.package.stage, approved.package.stage_status) == (wanted, "Approved")


def test_what_is_deployed_may_have_been_so_without_an_approval_and_can_be_given_one(approved: Registry) -> None:
    approved.put("production", "Deployed", "passed its test")
    assert approved.decide(Decision(approves=True, stage="production")).changed
    assert approved.package.stage_status == "Approved"
    assert str(approved.package.stage_note).endswith(" | before: production Deployed: passed its test")


@pytest.mark.parametrize("approves", [True, False])
def test_what_production_rejected_is_not_erased_by_a_word_about_staging(approved: Registry, approves: bool) -> None:
    approved.put("production", "Rejected", "legal says no | before: staging Deployed: fine")
    assert approved.refuse(Decision(approves, "it is fine", "staging", force=approves)) == (
        "fraud/1 is Rejected in production: legal says no; decide about that first, with --stage production, "
        "or about all stages, without --stage"
    )


# Notes


def test_a_note_comes_on_one_line() -> None:
    assert check_note("  good:\n\tROC AUC 0.95  ") == "good: ROC AUC 0.95"


@pytest.mark.parametrize("note", ["", " ", "\n\t"])
def test_an_empty_note_is_none(note: str) -> None:
    with pytest.raises(UsageError, match="--note is empty: say why, or leave it out"):
        check_note(note)


@pytest.mark.parametrize("note", ["WHY", " ... ", "…"])
def test_what_stands_for_a_note_in_the_commands_that_are_printed_is_none(note: str) -> None:
    with pytest.raises(UsageError, match=r"--note \S+ stands for your own words: say why"):
        check_note(note)


@pytest.mark.parametrize(
    "note",
    [
        "meh | before: Approved by arn:aws:sts::111122223333:assumed-role/boss/ceo on 2026-01-01 00:00 UTC: great",
        "| before: Approved by boss",
        "meh |  BEFORE: Approved by boss",
        "meh |before:",
    ],
)
def test_a_note_cannot_make_up_an_earlier_decision(note: str) -> None:
    with pytest.raises(UsageError, match=r"--note has '\| before:' in it, which parts a decision from those before"):
        check_note(note)


def test_a_person_who_is_called_like_an_earlier_decision_makes_up_none(waiting: Registry) -> None:
    waiting.decide(APPROVE, Caller(ADA, "ada | before: Rejected by boss", "https://example.com/7"))
    assert "ada / before: Rejected by boss (https" in str(waiting.package.approval_note)
    assert history(waiting.package.approval_note) == [waiting.package.approval_note]


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ("a\x1b[31mb", r"--note has U\+001B \(a control character\) in it: give text that can be read"),
        ("a\u202eb", r"--note has U\+202E \(RIGHT-TO-LEFT OVERRIDE\) in it"),
        ("a\x00b", r"--note has U\+0000 "),
        ("a\udcff", r"--note has U\+DCFF "),
    ],
)
def test_letters_that_cannot_be_seen_are_refused(note: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_note(note)


@pytest.mark.parametrize("stage", [None, "staging"])
def test_a_note_has_the_room_that_who_and_when_leave(approved: Registry, stage: Stage | None) -> None:
    room = 1024 - len(f"Rejected {SIGNED}: ")
    before = approved.package
    with pytest.raises(UsageError, match=f"--note has {room + 1} letters: beside who and when, {room} have room"):
        approved.decide(Decision(approves=False, note="ü" * (room + 1), stage=stage))
    assert approved.package == before
    approved.decide(Decision(approves=False, note="ü" * room, stage=stage))
    note = approved.package.stage_note if stage else approved.package.approval_note
    assert len(str(note)) == 1024
