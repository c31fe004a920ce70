"""Approves and rejects model packages, and writes down who decided, when and why."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pipelines.delivery.caller import Caller
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.lifecycle import (
    DEPLOYED,
    LONGEST_NOTE,
    ROLLED_BACK,
    Stage,
    history,
    separates,
    set_stage,
    with_history,
)
from pipelines.delivery.packages import APPROVED, COMPLETED, REJECTED, ModelPackage

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# What stands in place of a note in the commands that are printed, to be typed over.
PLACEHOLDER = "WHY"
_PLACEHOLDERS = frozenset({PLACEHOLDER, "...", "…"})
# What nobody approves by mistake.
_TURNED_DOWN = frozenset({REJECTED, ROLLED_BACK})


@dataclass(frozen=True)
class Decision:
    """What a person wants: a package approved or rejected, as a whole or for one stage, and why."""

    approves: bool
    note: str | None = None
    stage: Stage | None = None
    force: bool = False

    @property
    def word(self) -> Literal["Approved", "Rejected"]:
        """The status that the package is to have."""
        return APPROVED if self.approves else REJECTED


@dataclass(frozen=True)
class Decided:
    """What became of a decision: the package as it is now, and what was written down, if anything had to be."""

    package: ModelPackage
    says: str
    note: str | None = None

    @property
    def changed(self) -> bool:
        """Whether it changed the package."""
        return self.note is not None


def check_note(note: str) -> str:
    """Return a note on one line, which is all that the registry keeps; refuse one that says nothing or misleads."""
    text = " ".join(note.split())
    hidden = next((letter for letter in text if not letter.isprintable()), None)
    if hidden is not None:
        name = unicodedata.name(hidden, "a control character")
        raise UsageError(f"--note has U+{ord(hidden):04X} ({name}) in it: give text that can be read")
    if not text:
        raise UsageError("--note is empty: say why, or leave it out")
    if text in _PLACEHOLDERS:
        raise UsageError(f"--note {text} stands for your own words: say why, or leave it out")
    if separates(text):
        raise UsageError("--note has '| before:' in it, which parts a decision from those before: word it differently")
    return text


def decide(
    client: SageMakerClient, package: ModelPackage, decision: Decision, caller: Caller, now: datetime
) -> Decided:
    """Carry out a decision about a package that was described just now.

    Raises:
        DeliveryError: the package is not as the decision takes for granted.
        UsageError: the note has no room beside who and when.
    """
    if settled := _settled(package, decision):
        return Decided(package, settled)
    _check(package, decision)
    text = _text(decision, caller, now)
    kept = with_history(text, package.stage_record if decision.stage else package.approval_note)
    if decision.stage:
        set_stage(client, package.arn, decision.stage, decision.word, kept)
        after = replace(package, stage=decision.stage, stage_status=decision.word, stage_note=kept)
    else:
        client.update_model_package(
            ModelPackageArn=package.arn, ModelApprovalStatus=decision.word, ApprovalDescription=kept
        )
        after = replace(package, approval=decision.word, approval_note=kept)
    return Decided(after, standing(after), text)


def standing(package: ModelPackage) -> str:
    """Say what is decided about a package."""
    stage = f", {package.stage}: {package.stage_status}" if package.stage else ""
    return f"{package.name} is {package.approval}{stage}"


def _settled(package: ModelPackage, decision: Decision) -> str | None:
    """Say that there is nothing to do, where it is so."""
    if decision.stage is None:
        same = package.approval == decision.word
        return f"{package.name} is {package.approval} already{_why(package.approval_note)}" if same else None
    there = package.stage == decision.stage
    beyond = decision.approves and (decision.stage, package.stage) == ("staging", "production")
    # Nobody need have approved what is Deployed, but staging lies behind it.
    stands = {decision.word, DEPLOYED} if beyond else {decision.word}
    if (there or beyond) and package.stage_status in stands:
        return f"{package.name} is {package.stage_status} in {package.stage} already{_why(package.stage_note)}"
    return None


def _check(package: ModelPackage, decision: Decision) -> None:
    name = package.name
    if decision.approves and package.status != COMPLETED:
        raise DeliveryError(f"{name} is {package.status}: only a package that is {COMPLETED} can be approved")
    if decision.stage and package.approval != APPROVED:
        raise DeliveryError(f"{name} is {package.approval}: approve it as a whole first, without --stage")
    # A package has one stage, and the word of production must not be lost to one about staging.
    if decision.stage == "staging" and package.stage == "production" and package.stage_status == REJECTED:
        raise DeliveryError(
            f"{package.turned_down('production')}; decide about that first, with --stage production, "
            "or about all stages, without --stage"
        )
    if not decision.approves or decision.force:
        return
    anyway = "to approve it all the same, add --force and say why with --note"
    if decision.stage is None and package.approval == REJECTED:
        raise DeliveryError(f"{name} was rejected{_why(package.approval_note)}; {anyway}")
    if decision.stage and package.stage_status in _TURNED_DOWN:
        why = _why(package.stage_note)
        raise DeliveryError(f"{name} is {package.stage_status} in {package.stage}{why}; {anyway}")


def _why(note: str | None) -> str:
    return f": {history(note)[0]}" if note else ""


def _text(decision: Decision, caller: Caller, now: datetime) -> str:
    text = f"{decision.word} by {caller.said} on {now:%Y-%m-%d %H:%M} UTC"
    if not decision.note:
        return text
    left = LONGEST_NOTE - len(text) - len(": ")
    if len(decision.note) > left:
        raise UsageError(
            f"--note has {len(decision.note)} letters: beside who and when, {left} have room in the registry"
        )
    return f"{text}: {decision.note}"
