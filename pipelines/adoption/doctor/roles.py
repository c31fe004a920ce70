"""The roles: whom the launch role trusts, and what the roles that create projects may do."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.adoption.doctor.finding import Finding, ok, problem
from pipelines.adoption.doctor.subject import Subject
from pipelines.adoption.installation import published
from pipelines.adoption.installation.installer import STUDIO_POLICY

POLICY = "CreateSageMakerProjects"
PROJECT_TAG = "aws:ResourceTag/sagemaker:project-name"


@dataclass(frozen=True)
class Permission:
    """Actions on a resource; the resource as a policy names it, and one of those for the simulation."""

    actions: tuple[str, ...]
    resource: str
    example: str
    context: Mapping[str, str] = field(default_factory=dict)


def check_trust(subject: Subject) -> Iterator[Finding]:
    """Compare whom the launch role trusts with who has to take it on."""
    name = subject.launch_role.rpartition("/")[2]
    role = subject.account.client("iam").get_role(RoleName=name)["Role"]
    trusted = set(_principals(role["AssumeRolePolicyDocument"]))
    services = ["cloudformation.amazonaws.com", *(["servicecatalog.amazonaws.com"] if subject.product else [])]
    root = f"arn:{subject.account.partition}:iam::{subject.account.number}:root"
    roles = [] if {root, "*"} & trusted else list(subject.roles)
    missing = [each for each in (*roles, *services) if each not in trusted]
    if not missing:
        yield ok("launch role", f"{name} trusts {', '.join((*subject.roles, *services))}")
        return
    yield problem(
        "launch role", f"{name} does not trust {', '.join(missing)}", *_trust(subject, name, missing, services)
    )


def _trust(subject: Subject, name: str, missing: list[str], services: list[str]) -> Iterator[str]:
    """Yield the commands that make the role trusted as it should be."""
    new = [role for role in missing if role in subject.roles and role not in subject.installed_roles]
    yield from (_installation(subject, role) for role in new)
    if set(missing) - set(new):
        principals = {"AWS": subject.roles, "Service": services}
        statement = {"Effect": "Allow", "Principal": principals, "Action": "sts:AssumeRole"}
        yield f"aws iam update-assume-role-policy --role-name {name} --policy-document {_document(statement)}"


def _installation(subject: Subject, role: str) -> str:
    # What the stack does not know of would stand in the way of its deletion.
    return f"{subject.install} --execution-role {role}"


def check_permissions(subject: Subject) -> Iterator[Finding]:
    """Let IAM say what the roles that create projects may do."""
    permissions = needed(subject)
    for role in subject.roles:
        denied = [(each, actions) for each in permissions if (actions := _denied(subject, role, each))]
        name = f"permissions of {role.rpartition('/')[2]}"
        if denied:
            says = "; ".join(f"{', '.join(actions)} on {each.resource}" for each, actions in denied)
            yield problem(name, f"it may not {says}", _grant(subject, role, denied))
        else:
            yield ok(name, f"it may {', '.join(action for each in permissions for action in each.actions)}")


def _grant(subject: Subject, role: str, denied: list[tuple[Permission, list[str]]]) -> str:
    """Return the command that allows what is denied: the policy of the installation, if it covers that."""
    if role not in subject.installed_roles:
        return _installation(subject, role)
    name = role.rpartition("/")[2]
    if not subject.product:
        policy = subject.installed.outputs[STUDIO_POLICY]
        return f"aws iam attach-role-policy --role-name {name} --policy-arn {policy}"
    statements = [{"Effect": "Allow", "Action": actions, "Resource": each.resource} for each, actions in denied]
    command = f"aws iam put-role-policy --role-name {name} --policy-name {POLICY}"
    return f"{command} --policy-document {_document(*statements)}"


def needed(subject: Subject) -> list[Permission]:
    """Return what whoever creates a project has to be allowed."""
    account = subject.account
    place = f"{account.region}:{account.number}"
    project = f"arn:{account.partition}:sagemaker:{place}:project/"
    create = Permission(("sagemaker:CreateProject",), f"{project}*", f"{project}my-project")
    if subject.product:
        product = f"arn:{account.partition}:catalog:{place}:product/{subject.product}"
        return [create, Permission(("servicecatalog:ProvisionProduct",), product, product)]
    stacks = f"arn:{account.partition}:cloudformation:{place}:stack/SP-"
    stack = f"{stacks}my-project-p-0123456789ab/00000000-0000-0000-0000-000000000000"
    change = tuple(f"cloudformation:{verb}Stack" for verb in ("Create", "Update", "Delete"))
    tag = ("cloudformation:TagResource", "cloudformation:UntagResource")
    bucket = f"arn:{account.partition}:s3:::{subject.bucket}"
    template = f"{bucket}/{published.FOLDER}"
    passed = {"iam:PassedToService": "cloudformation.amazonaws.com"}
    return [
        create,
        Permission((*change, "cloudformation:DescribeStacks"), f"{stacks}*", stack),
        Permission(tag, f"{stacks}*", stack, {PROJECT_TAG: "my-project"}),
        Permission(("iam:PassRole",), subject.launch_role, subject.launch_role, passed),
        Permission(("s3:ListBucket",), bucket, bucket),
        Permission(("s3:GetObject", "s3:GetObjectTagging"), f"{template}*", f"{bucket}/{published.KEY}"),
    ]


def _denied(subject: Subject, role: str, permission: Permission) -> list[str]:
    context = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in permission.context.items()
    ]
    pages = (
        subject.account.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(
            PolicySourceArn=role,
            ActionNames=list(permission.actions),
            ResourceArns=[permission.example],
            ContextEntries=context,
        )
    )
    results = [result for page in pages for result in page["EvaluationResults"]]
    allowed = {result["EvalActionName"] for result in results if result["EvalDecision"] == "allowed"}
    return [action for action in permission.actions if action not in allowed]


def _principals(trust: Mapping[str, Any]) -> Iterator[str]:
    for statement in _listed(trust["Statement"]):
        if statement["Effect"] != "Allow" or not {"sts:AssumeRole", "sts:*", "*"} & set(_listed(statement["Action"])):
            continue
        principal = statement.get("Principal", {})
        for kind in [principal] if isinstance(principal, str) else principal.values():
            yield from _listed(kind)


def _document(*statements: Mapping[str, Any]) -> str:
    return shlex.quote(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
