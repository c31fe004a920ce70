"""The examination as a whole: what cannot be seen is never called well, and one failure hides no other."""

from dataclasses import replace

import boto3
import pytest
from botocore.parsers import ResponseParserError

from pipelines.adoption.doctor.examine import OF_ALL, OF_CODEBUILD, OF_GITHUB, examine, without_account
from pipelines.adoption.doctor.finding import Finding, Verdict, problem, unknown
from pipelines.adoption.doctor.subject import GitHub
from tests.adoption.aws import CONNECTION, STACK, MotoAws
from tests.adoption.doctor.subjects import settings, subject, verdicts
from tests.delivery.deployment.service import Refusal

NOWHERE = GitHub("http://127.0.0.1:9", None, None)
ASKED = {
    "DescribeStacks": {
        "stack",
        "Studio domain",
        "template bucket",
        "template",
        "product",
        "launch role",
        "permissions",
    },
    "DescribeDomain": {"Studio domain", "launch role", "permissions"},
    "HeadBucket": {"template bucket"},
    "GetBucketCors": {"template bucket"},
    "HeadObject": {"template"},
    "GetObjectTagging": {"template"},
    "GetRole": {"launch role"},
    "SimulatePrincipalPolicy": {"permissions"},
    "ListServiceQuotas": {"quotas"},
    "ListConnections": {"connection"},
}


def test_a_whole_set_up_is_well(well: MotoAws) -> None:
    well.connections[CONNECTION] = "AVAILABLE"
    well.calls.clear()
    found = verdicts(examine(subject(well)))
    assert (set(found.values()), well.changing()) == ({Verdict.OK}, [])
    assert {"credentials", "stack", "domain tag", "template tag", "permissions of studio", "connection"} <= set(found)


@pytest.mark.parametrize("operation", ASKED)
def test_what_may_not_be_looked_at_is_never_called_well(well: MotoAws, operation: str) -> None:
    well.connections[CONNECTION] = "AVAILABLE"
    well.deny(operation)
    found = list(examine(subject(well)))
    unseen = {each.name for each in found if each.verdict is Verdict.UNKNOWN}
    # What was found before the refusal may stand beside it.
    assert unseen == ASKED[operation]
    assert {each.verdict for each in found} == {Verdict.OK, Verdict.UNKNOWN}
    assert all(f"AccessDenied in {operation}" in each.says for each in found if each.verdict is Verdict.UNKNOWN)


def test_each_provider_has_checks_of_its_own(aws: MotoAws) -> None:
    names = {name.split()[0] for name in verdicts(examine(subject(aws, github=NOWHERE)))}
    assert {"identity", "environments"} <= names
    assert "connection" not in names
    names = {name.split()[0] for name in verdicts(examine(subject(aws)))}
    assert "connection" in names
    assert not {"identity", "environments"} & names
    assert not OF_ALL.keys() & (OF_GITHUB.keys() | OF_CODEBUILD.keys())


def test_before_the_installation_what_it_makes_cannot_be_checked(aws: MotoAws) -> None:
    aws.add_domain()
    found = {each.name: each for each in examine(subject(aws))}
    assert found["stack"].verdict is Verdict.PROBLEM
    for name in ("template bucket", "template", "launch role", "permissions"):
        assert found[name] == unknown(name, f"the stack {STACK} is not installed")


def test_of_several_domains_one_has_to_be_chosen(well: MotoAws) -> None:
    well.add_domain("second", "arn:aws:iam::123456789012:role/service-role/second")
    found = verdicts(examine(subject(well)))
    assert found["Studio domain"] is Verdict.UNKNOWN
    assert found["template"] is Verdict.OK


def test_another_region_than_the_settings_is_a_problem(aws: MotoAws) -> None:
    elsewhere = replace(settings(), region="us-east-1")
    (first, *_) = examine(subject(aws, of=elsewhere))
    assert (first.verdict, first.steps) == (Verdict.PROBLEM, ("export AWS_DEFAULT_REGION=us-east-1",))
    (first, *_) = examine(subject(aws, of=replace(settings(), region="eu-west-1")))
    assert first.verdict is Verdict.OK


def test_credentials_that_have_expired_are_a_problem(aws: MotoAws) -> None:
    aws.answers["GetCallerIdentity"] = Refusal("ExpiredToken", "The security token has expired", status=403)
    (found,) = without_account(boto3.Session())
    assert (found.name, found.verdict) == ("credentials", Verdict.PROBLEM)
    assert "ExpiredToken in GetCallerIdentity" in found.says
    assert found.steps == ("log in again (aws sso login, or renew AWS_PROFILE / AWS_ACCESS_KEY_ID)",)


def test_without_a_region_nothing_is_asked(aws: MotoAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    (found,) = without_account(boto3.Session())
    assert (found.says, found.steps) == ("no region is set", ("set AWS_DEFAULT_REGION",))
    assert aws.calls == []


def test_a_session_that_aws_knows_has_nothing_wrong(aws: MotoAws) -> None:
    assert without_account(aws.account.session) == []


def test_the_fixes_are_about_the_stack_and_the_domain_that_were_looked_at(aws: MotoAws) -> None:
    other = replace(subject(aws), stack_name="second", domain_id="d-studio")
    assert other.install == "project-template install --yes --stack-name second --domain-id d-studio"
    assert other.uninstall == "project-template uninstall --yes --stack-name second"


def test_a_finding_is_printed_with_what_comes_next() -> None:
    assert list(problem("bucket", "it is gone", "make it", "then look").lines()) == [
        "PROBLEM: bucket: it is gone",
        "  fix: make it",
        "  fix: then look",
    ]
    assert list(Finding("quotas", Verdict.OK, "20").lines()) == ["OK: quotas: 20"]
    assert list(unknown("environments", "no token", "look there").lines()) == [
        "could not check: environments: no token",
        "  next: look there",
    ]


def garble(_: object) -> None:
    """Fail as botocore does with an answer that is neither XML nor JSON."""
    raise ResponseParserError("Unable to parse response (syntax error), invalid XML received:\nb'<html>'")


@pytest.mark.parametrize("operation", ASKED)
def test_what_cannot_be_read_is_not_checked_and_the_rest_is(well: MotoAws, operation: str) -> None:
    well.connections[CONNECTION] = "AVAILABLE"
    well.answers[operation] = garble
    found = list(examine(subject(well)))
    unseen = {each.name: each.says for each in found if each.verdict is Verdict.UNKNOWN}
    assert unseen.keys() == ASKED[operation]
    said = (
        "an answer cannot be read: ResponseParserError: Unable to parse response (syntax error), invalid XML received: "
    )
    assert {says.partition("b'")[0] for says in unseen.values()} == {said}


def test_an_answer_without_what_is_always_told_is_not_checked_and_the_rest_is(well: MotoAws) -> None:
    well.answers["DescribeDomain"] = lambda _: {}
    found = {each.name: each for each in examine(subject(well))}
    says = "an answer cannot be read: KeyError: 'DomainArn'"
    for name in ("Studio domain", "launch role", "permissions"):
        assert found[name] == unknown(name, says)
    assert found["template"].verdict is Verdict.OK


def test_a_caller_that_cannot_be_read_ends_the_examination_in_a_line(aws: MotoAws) -> None:
    aws.answers["GetCallerIdentity"] = garble
    (found,) = without_account(boto3.Session())
    assert (found.name, found.verdict) == ("credentials", Verdict.PROBLEM)
    assert found.says.startswith("Unable to parse response (syntax error), invalid XML received: b'<html>'")
    assert found.steps == ("check the network: something answers in the place of AWS",)
