"""What the templates allow is what there is to allow: actions, their resources and the keys of conditions."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.iam.evaluator import Policy
from tests.iam.reference import action, is_key, named
from tests.project_template.conftest import ALL_CODEBUILD, ALL_GITHUB, INSTALLED
from tests.project_template.stack import INSTALL, TEMPLATE, Stack

STACKS = {
    "github": Stack(TEMPLATE, ALL_GITHUB),
    "codebuild": Stack(TEMPLATE, ALL_CODEBUILD),
    "install": Stack(INSTALL, INSTALLED),
}
ROLES = [(stack, role) for stack, made in STACKS.items() for role in made.of_type("AWS::IAM::Role")]
MANAGED = [("install", name) for name in STACKS["install"].of_type("AWS::IAM::ManagedPolicy")]
# These have a value in every request.
EVERYWHERE = ("aws:ResourceAccount", "aws:SourceAccount", "aws:SourceArn", "aws:SecureTransport", "aws:PrincipalArn")
# Asked for of everything although the reference knows a resource.
UNNAMED = {
    "cloudformation:GetTemplateSummary": "a template by its address is no resource",
    "kms:TagResource": "a key gets its name while it is made",
    "sagemaker:ListModelPackages": "a list is asked for without a resource",
}


def statements(policy: Policy) -> Iterator[tuple[Mapping[str, Any], list[str], list[str]]]:
    """Yield the statements of a policy with their actions and resources."""
    for statement in policy["Statement"]:
        yield statement, listed(statement["Action"]), listed(statement["Resource"])


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture(params=[*ROLES, *MANAGED], ids="-".join)
def policy(request: pytest.FixtureRequest) -> Policy:
    stack, name = request.param
    if request.param in MANAGED:
        managed: Policy = STACKS[stack].of_type("AWS::IAM::ManagedPolicy")[name]["PolicyDocument"]
        return managed
    return STACKS[stack].policy(name)


def test_every_resource_is_one_of_a_kind_that_its_actions_are_about(policy: Policy) -> None:
    for statement, actions, resources in statements(policy):
        asked = [each for pattern in actions for each in named(pattern)]
        for resource in resources:
            assert resource == "*" or any(each.type_of(resource) for each in asked), (statement, resource)


def test_every_action_has_resources_of_all_kinds_that_it_needs(policy: Policy) -> None:
    for name, resources in by_action(policy).items():
        for kind in action(name).types.values():
            if kind.is_required and resources != {"*"}:
                assert any(kind.has(resource) for resource in resources), (name, kind.name)


@pytest.mark.parametrize(("stack", "role"), ROLES)
def test_everything_is_only_where_there_is_nothing_to_choose(stack: str, role: str) -> None:
    policy = STACKS[stack].policy(role)
    everything = {name for name, resources in by_action(policy).items() if "*" in resources}
    assert {name for name in everything if action(name).types} <= set(UNNAMED)


def test_every_condition_is_about_a_key_that_the_action_has(policy: Policy) -> None:
    for statement, actions, resources in statements(policy):
        asked = {key for wishes in statement.get("Condition", {}).values() for key in wishes}
        for each in (found for pattern in actions for found in named(pattern)):
            for resource in resources:
                kind = each.type_of(resource)
                known = each.keys | (kind.keys if kind and resource != "*" else frozenset()) | set(EVERYWHERE)
                missing = {key for key in asked if not any(is_key(key, other) for other in known)}
                assert not missing, (each.name, resource, missing)


def test_what_an_action_takes_along_is_allowed_too(policy: Policy) -> None:
    allowed = set(by_action(policy))
    for name in allowed:
        for kind in action(name).types.values():
            if kind.is_required:
                assert kind.dependents <= allowed | {"ec2:CreateTags"}, name


def by_action(policy: Policy) -> dict[str, set[str]]:
    """Return the resources that each action is allowed on."""
    found: dict[str, set[str]] = {}
    for _, actions, resources in statements(policy):
        for each in (one for pattern in actions for one in named(pattern)):
            found.setdefault(each.name, set()).update(resources)
    return found


def test_what_does_not_exist_is_found() -> None:
    with pytest.raises(ValueError, match="no such action"):
        list(named("sagemaker:CreatePipelines"))
    about = action("sagemaker:UpdateEndpoint")
    assert about.type_of("arn:aws:sagemaker:us-east-1:1:model/a") is None
    assert about.required == {"endpoint", "endpoint-config"}
