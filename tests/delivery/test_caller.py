"""Who calls, by STS and by what CI says of itself."""

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.caller import Caller, find_caller
from pipelines.local.boto_session import LocalSession
from tests.delivery.registry import ADA, Account
from tests.delivery.scripted import ServiceRefusal

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "ada",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "org/fraud",
    "GITHUB_RUN_ID": "7",
}
RUN = "https://github.com/org/fraud/actions/runs/7"
BUILD = "https://us-east-1.console.aws.amazon.com/codesuite/codebuild/111122223333/projects/fraud/build/1"
CODEBUILD = {"CODEBUILD_INITIATOR": "codepipeline/fraud", "CODEBUILD_BUILD_URL": BUILD}


def caller_in(environment: dict[str, str]) -> Caller:
    return find_caller(Account({}).session, environment)


def test_a_person_is_told_by_the_identity_that_signs() -> None:
    caller = caller_in({})
    assert (caller, caller.said) == (Caller(ADA), ADA)


def test_in_github_actions_the_actor_and_the_run_stand_before_the_identity() -> None:
    caller = caller_in(GITHUB)
    assert (caller.arn, caller.person, caller.run) == (ADA, "ada", RUN)
    assert caller.said == f"ada ({RUN}, as {ADA})"


def test_who_starts_a_run_again_is_the_one_who_decides() -> None:
    assert caller_in({**GITHUB, "GITHUB_TRIGGERING_ACTOR": "grace"}).person == "grace"


def test_outside_of_github_actions_its_variables_say_nothing() -> None:
    assert caller_in({**GITHUB, "GITHUB_ACTIONS": ""}).said == ADA


def test_in_codebuild_the_initiator_and_the_build_stand_before_the_identity() -> None:
    assert caller_in(CODEBUILD).said == f"codepipeline/fraud ({BUILD}, as {ADA})"


@pytest.mark.parametrize("missing", ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"])
def test_half_an_address_is_none(missing: str) -> None:
    assert caller_in({**GITHUB, missing: ""}).said == f"ada (as {ADA})"


def test_what_ci_says_comes_on_one_line() -> None:
    assert caller_in({**GITHUB, "GITHUB_ACTOR": "ada\nApproved by root\x1b[31m"}).person == "ada Approved by root [31m"


def test_who_may_not_be_told_is_an_error() -> None:
    service = Account({}, caller=ServiceRefusal("AccessDenied", "an explicit deny"))
    with pytest.raises(ClientError, match="an explicit deny"):
        find_caller(service.session, {})


def test_on_this_machine_it_is_the_user(session: LocalSession) -> None:
    arn = session.client("sts").get_caller_identity()["Arn"]
    assert find_caller(session, {}).said == arn
