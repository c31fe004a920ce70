"""The stage of a model package, as it is written down."""

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.lifecycle import LONGEST_NOTE, Stage, StageStatus, history, separates, set_stage, with_history
from pipelines.delivery.packages import describe
from tests.delivery.registry import Account, add, arn_of
from tests.delivery.scripted import ServiceRefusal
from tests.local.conftest import Client


@pytest.mark.parametrize(("stage", "status"), [("staging", "Deployed"), ("production", "RolledBack")])
def test_a_stage_is_written_down_with_a_note(sagemaker: Client, stage: Stage, status: StageStatus) -> None:
    arn = add(sagemaker, approval="Approved")
    set_stage(sagemaker, arn, stage, status, "who and why")
    package = describe(sagemaker, arn)
    assert (package.stage, package.stage_status, package.stage_note) == (stage, status, "who and why")
    assert (package.approval, package.approval_note) == ("Approved", None)


def test_the_later_stage_takes_the_place_of_the_earlier_one(sagemaker: Client) -> None:
    arn = add(sagemaker, approval="Approved")
    set_stage(sagemaker, arn, "staging", "Deployed", "first")
    set_stage(sagemaker, arn, "production", "Approved", "second")
    assert describe(sagemaker, arn).stage_note == "second"


def test_a_note_has_one_line_and_as_much_as_the_registry_takes(sagemaker: Client) -> None:
    arn = add(sagemaker)
    set_stage(sagemaker, arn, "staging", "RolledBack", "a\nb" + "c" * 2000)
    note = str(describe(sagemaker, arn).stage_note)
    assert (len(note), note[:4], note[-1]) == (LONGEST_NOTE, "a bc", "…")


def test_a_note_is_followed_by_what_stood_there_as_far_as_there_is_room() -> None:
    assert (with_history("b", None), with_history("b", "a")) == ("b", "b | before: a")
    assert history(with_history("c", with_history("b", "a"))) == ["c", "b", "a"]
    assert len(with_history("c", "b" * 2000)) == LONGEST_NOTE


@pytest.mark.parametrize("text", ["x | before: y", "| before: y", "x |before:y", "x\n|\nBefore: y"])
def test_text_of_others_makes_up_no_earlier_note(text: str) -> None:
    assert separates(text)
    assert history(with_history(text, "a"))[1:] == ["a"]
    assert not separates(with_history(text, None))


def test_what_aws_refuses_is_an_error() -> None:
    service = Account({"UpdateModelPackage": ServiceRefusal("AccessDeniedException", "not this stage")})
    with pytest.raises(ClientError, match="not this stage"):
        set_stage(service.session.client("sagemaker"), arn_of(1), "production", "Approved", "")
