"""Whom the launch role trusts, and what creating a project takes."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.adoption.doctor.finding import Verdict
from pipelines.adoption.doctor.roles import check_permissions, check_trust, needed
from tests.adoption.aws import BUCKET, LAUNCH_ROLE, NUMBER, PRODUCT, ROLE, MotoAws
from tests.adoption.cli import carry_out
from tests.adoption.doctor.subjects import only, problem, subject
from tests.adoption.installed import install, order, stack_of

NAME = LAUNCH_ROLE.rpartition("/")[2]
SERVICES = ["cloudformation.amazonaws.com", "servicecatalog.amazonaws.com"]


def trust(aws: MotoAws, *statements: dict[str, Any]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    aws.client("iam").update_assume_role_policy(RoleName=NAME, PolicyDocument=document)


def statement(principal: object, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}


def test_a_fresh_installation_trusts_whom_it_must(well: MotoAws) -> None:
    found = only(check_trust(subject(well)))
    assert (found.verdict, found.says) == (Verdict.OK, f"{NAME} trusts {ROLE}, {SERVICES[0]}")


@pytest.mark.parametrize(
    ("principals", "missing"),
    [
        ([{"AWS": ROLE}], SERVICES[0]),
        ([{"Service": SERVICES[0]}], ROLE),
        ([{"AWS": "AIDAEXAMPLEOFAROLETHATISGONE", "Service": SERVICES[:1]}], ROLE),
    ],
    ids=["cloudformation", "role", "a-role-made-again"],
)
def test_who_is_not_trusted_is_named_and_the_fix_lets_them_in(
    well: MotoAws, principals: list[dict[str, object]], missing: str
) -> None:
    trust(well, *(statement(principal) for principal in principals))
    found = problem(check_trust, subject(well))
    assert found.says == f"{NAME} does not trust {missing}"
    carry_out(found.steps[0])
    assert only(check_trust(subject(well))).verdict is Verdict.OK


@pytest.mark.parametrize(
    "wrong",
    [
        statement({"AWS": ROLE}, Effect="Deny"),
        statement({"AWS": ROLE}, Action="sts:TagSession"),
    ],
    ids=["deny", "other-action"],
)
def test_only_statements_that_let_somebody_take_the_role_on_count(well: MotoAws, wrong: dict[str, Any]) -> None:
    trust(well, wrong, statement({"Service": SERVICES}))
    assert problem(check_trust, subject(well)).says == f"{NAME} does not trust {ROLE}"


@pytest.mark.parametrize("principal", [{"AWS": f"arn:aws:iam::{NUMBER}:root"}, "*"])
def test_who_trusts_the_account_trusts_its_roles(well: MotoAws, principal: object) -> None:
    trust(well, statement(principal), statement({"Service": SERVICES}))
    assert only(check_trust(subject(well))).verdict is Verdict.OK


def test_a_role_that_the_installation_does_not_know_is_installed(well: MotoAws) -> None:
    other = ROLE.replace("studio", "analyst")
    well.client("sagemaker").delete_domain(DomainId="d-studio")
    well.add_domain("second", other)
    fix = (f"project-template install --yes --execution-role {other}",)
    assert problem(check_trust, subject(well)).steps == fix
    well.denied = {"iam:PassRole"}
    found = {each.name: each.steps for each in check_permissions(subject(well))}
    assert found["permissions of analyst"] == fix
    assert found["permissions of studio"][0].startswith("aws iam attach-role-policy --role-name studio ")


def test_a_product_needs_service_catalog_too(aws: MotoAws) -> None:
    aws.add_domain()
    install(aws, order(aws, service_catalog=True))
    assert SERVICES[1] in only(check_trust(subject(aws))).says
    trust(aws, statement({"AWS": [ROLE], "Service": SERVICES[:1]}))
    assert problem(check_trust, subject(aws)).says == f"{NAME} does not trust {SERVICES[1]}"


def test_iam_is_asked_about_every_role_and_everything_that_a_project_takes(well: MotoAws) -> None:
    well.calls.clear()
    found = only(check_permissions(subject(well)))
    assert (found.name, found.verdict) == ("permissions of studio", Verdict.OK)
    asked = well.sent("SimulatePrincipalPolicy")
    assert {request["PolicySourceArn"] for request in asked} == {ROLE}
    actions = {action: request["ResourceArns"] for request in asked for action in request["ActionNames"]}
    assert actions["iam:PassRole"] == [LAUNCH_ROLE]
    assert actions["s3:GetObjectTagging"] == [f"arn:aws:s3:::{BUCKET}/templates/commit-to-endpoint.yml"]
    assert actions["cloudformation:CreateStack"][0].startswith(
        f"arn:aws:cloudformation:eu-west-1:{NUMBER}:stack/SP-my-project-"
    )
    contexts = [request["ContextEntries"] for request in asked if "iam:PassRole" in request["ActionNames"]]
    assert contexts == [
        [
            {
                "ContextKeyName": "iam:PassedToService",
                "ContextKeyValues": ["cloudformation.amazonaws.com"],
                "ContextKeyType": "string",
            }
        ]
    ]


def test_the_installation_s_policy_allows_all_that_is_asked_about(well: MotoAws) -> None:
    arn = stack_of(well).outputs["StudioPolicyArn"]
    iam = well.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    allowed = {action for each in document["Statement"] for action in listed(each["Action"])}
    assert {action for each in needed(subject(well)) for action in each.actions} <= allowed


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_what_is_denied_is_named_with_its_resource_and_the_policy_to_attach(well: MotoAws) -> None:
    well.denied = {"s3:GetObjectTagging", "cloudformation:TagResource"}
    found = problem(check_permissions, subject(well))
    assert found.says == (
        f"it may not cloudformation:TagResource on arn:aws:cloudformation:eu-west-1:{NUMBER}:stack/SP-*; "
        f"s3:GetObjectTagging on arn:aws:s3:::{BUCKET}/templates/*"
    )
    policy = stack_of(well).outputs["StudioPolicyArn"]
    assert found.steps == (f"aws iam attach-role-policy --role-name studio --policy-arn {policy}",)
    iam = well.client("iam")
    iam.detach_role_policy(RoleName="studio", PolicyArn=policy)
    carry_out(found.steps[0])
    assert iam.list_attached_role_policies(RoleName="studio")["AttachedPolicies"][0]["PolicyArn"] == policy


def test_for_a_product_the_policy_is_written_out(aws: MotoAws) -> None:
    aws.add_domain()
    install(aws, order(aws, service_catalog=True))
    aws.denied = {"servicecatalog:ProvisionProduct"}
    (step,) = problem(check_permissions, subject(aws)).steps
    carry_out(step)
    iam = aws.client("iam")
    (name,) = iam.list_role_policies(RoleName="studio")["PolicyNames"]
    (granted,) = iam.get_role_policy(RoleName="studio", PolicyName=name)["PolicyDocument"]["Statement"]
    assert granted["Action"] == ["servicecatalog:ProvisionProduct"]
    assert granted["Resource"].endswith(f":product/{PRODUCT}")


def test_who_may_not_simulate_does_not_learn_that_all_is_well(well: MotoAws) -> None:
    well.deny("SimulatePrincipalPolicy")
    with pytest.raises(ClientError, match="AccessDenied"):
        list(check_permissions(subject(well)))
