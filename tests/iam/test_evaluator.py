"""The evaluator decides as IAM documents it."""

from typing import Any

import pytest

from tests.iam.evaluator import Policy, Request, actions, allows, matches, together, trusts

BUCKET = "arn:aws:s3:::data"
GET = Request("s3:GetObject", f"{BUCKET}/a/b.csv")


def policy(effect: str = "Allow", **members: Any) -> Policy:
    """A policy of one statement, about reading the bucket unless said otherwise."""
    return {"Statement": [{"Effect": effect, "Action": "s3:GetObject", "Resource": f"{BUCKET}/*", **members}]}


def conditioned(operator: str, wanted: str | list[str]) -> Policy:
    return policy(Condition={operator: {"aws:Key": wanted}})


def request(*values: str) -> Request:
    return Request(GET.action, GET.resource, {"aws:key": list(values)} if values else {})


def test_what_no_statement_allows_is_refused() -> None:
    assert not allows(together([]), GET)
    assert not allows(policy(Action="s3:PutObject"), GET)
    assert not allows(policy(Resource=BUCKET), GET)


def test_one_statement_of_many_is_enough() -> None:
    assert allows(together([policy(Action="s3:PutObject"), policy()]), GET)


def test_a_denial_wins_over_every_permission() -> None:
    assert not allows(together([policy(), policy("Deny", Resource=f"{BUCKET}/a/*")]), GET)
    assert allows(together([policy(), policy("Deny", Resource=f"{BUCKET}/b/*")]), GET)


def test_a_single_statement_needs_no_list() -> None:
    assert allows({"Statement": policy()["Statement"][0]}, GET)


def test_a_boundary_must_allow_it_too_and_allows_nothing_itself() -> None:
    assert allows(policy(), GET, boundary=policy(Resource="*"))
    assert not allows(policy(), GET, boundary=policy(Action="s3:PutObject"))
    assert not allows(together([]), GET, boundary=policy())


@pytest.mark.parametrize("action", ["s3:*", "S3:getobject", "s3:Get*", "s3:GetObjec?", "*"])
def test_actions_have_wildcards_and_no_case(action: str) -> None:
    assert allows(policy(Action=action), GET)


@pytest.mark.parametrize("resource", [f"{BUCKET}/A/*", f"{BUCKET}/a/b.cs", "arn:aws:s3:::dat?/[ab]/*"])
def test_resources_have_case_and_no_other_wildcards(resource: str) -> None:
    assert not allows(policy(Resource=resource), GET)


def test_everything_but_the_named_actions() -> None:
    but = {"Statement": [{"Effect": "Allow", "NotAction": ["iam:*", "sts:AssumeRole"], "Resource": "*"}]}
    assert allows(but, GET)
    assert not allows(but, Request("iam:PassRole", "*"))


def test_everything_but_the_named_resources() -> None:
    but = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "NotResource": f"{BUCKET}/secret/*"}]}
    assert allows(but, GET)
    assert not allows(but, Request("s3:GetObject", f"{BUCKET}/secret/a"))


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "holds"),
    [
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a", "A", False),
        ("StringLike", "a*", "ab", True),
        ("StringLike", "a?", "a", False),
        ("ArnLike", "arn:aws:events:*:1:rule/x-*", "arn:aws:events:us-east-1:1:rule/x-y", True),
        ("ArnLike", "arn:aws:events:*:rule/x-*", "arn:aws:events:us-east-1:1:rule/x-y", False),
        ("ArnEquals", "arn:aws:s3:::a:*", "arn:aws:s3:::a:b:c", True),
        ("Bool", "true", "True", True),
        ("Bool", "true", "false", False),
        ("Null", "false", "anything", True),
        ("Null", "true", "anything", False),
    ],
)
def test_a_condition_is_about_the_value_of_the_request(
    operator: str, wanted: str | list[str], value: str, holds: bool
) -> None:
    assert allows(conditioned(operator, wanted), request(value)) == holds


@pytest.mark.parametrize(
    ("operator", "wanted", "holds"),
    [
        ("StringEquals", "a", False),
        ("StringLike", "*", False),
        ("Bool", "false", False),
        ("StringEqualsIfExists", "a", True),
        ("BoolIfExists", "true", True),
        ("ForAllValues:StringEquals", "a", True),
        ("ForAnyValue:StringEquals", "a", False),
        ("Null", "true", True),
        ("Null", "false", False),
    ],
)
def test_a_value_that_is_absent_fails_a_condition_unless_it_may_be_so(operator: str, wanted: str, holds: bool) -> None:
    assert allows(conditioned(operator, wanted), request()) == holds


@pytest.mark.parametrize(
    ("operator", "values", "holds"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAnyValue:StringEquals", ("a", "c"), True),
        ("ForAnyValue:StringLike", ("c", "d"), False),
    ],
)
def test_several_values_are_taken_together(operator: str, values: tuple[str, ...], holds: bool) -> None:
    assert allows(conditioned(operator, ["a", "b"]), request(*values)) == holds


def test_all_conditions_must_hold() -> None:
    both = policy(Condition={"StringEquals": {"aws:Key": "a"}, "Null": {"aws:Other": "true"}})
    assert allows(both, request("a"))
    assert not allows(both, Request(GET.action, GET.resource, {"aws:Key": "a", "aws:Other": "b"}))


@pytest.mark.parametrize(
    "unknown",
    [
        policy(NotPrincipal="*"),
        conditioned("DateLessThan", "2026-01-01T00:00:00Z"),
        conditioned("ForEachValue:StringEquals", "a"),
        policy(Resource=f"{BUCKET}/${{aws:username}}/*"),
    ],
)
def test_what_the_evaluator_does_not_know_it_refuses(unknown: Policy) -> None:
    with pytest.raises(ValueError, match="knows no"):
        allows(unknown, request("a"))


def test_a_role_is_for_those_whom_it_trusts() -> None:
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": ["a.com", "b.com"]}, "Action": "sts:AssumeRole"}]
    }
    asked = Request("sts:AssumeRole", "arn:aws:iam::1:role/r")
    assert trusts(trust, ("Service", "b.com"), asked)
    assert not trusts(trust, ("Service", "c.com"), asked)
    assert not trusts(trust, ("AWS", "b.com"), asked)
    assert not trusts(trust, ("Service", "b.com"), Request("sts:TagSession", asked.resource))


def test_everybody_is_a_principal_of_any_kind() -> None:
    trust = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:*"}]}
    assert not trusts(trust, ("AWS", "anyone"), Request("sts:AssumeRole", "r"))


def test_the_actions_of_a_policy_are_those_that_it_allows() -> None:
    assert actions({"Statement": [*policy()["Statement"], *policy("Deny", Action="s3:*")["Statement"]]}) == {GET.action}


def test_a_pattern_is_about_the_whole_text() -> None:
    assert matches("a.c*", "a.c")
    assert not matches("a.c", "abc")
    assert not matches("a", "ab")
