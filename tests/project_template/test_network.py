"""The VPC that is given: who may make network interfaces in it, which ones, and what the project is told of it."""

from collections.abc import Mapping

import pytest

from pipelines.delivery.settings import RULES
from tests.iam.evaluator import Request, actions, allows
from tests.project_template.conftest import ALL_GITHUB, CODEBUILD, FORMS, GITHUB, VPC
from tests.project_template.identities import ACCOUNT, REGION
from tests.project_template.stack import TEMPLATE, Stack

PLACE = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
INTERFACE = f"{PLACE}:network-interface/eni-0abc"
INSIDE, OUTSIDE = ({"ec2:Vpc": f"{PLACE}:vpc/{name}"} for name in ("vpc-0abc", "vpc-0def"))
ROLES = ("PipelineExecutionRole", "EndpointRole")
CHANGES = ("ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission")
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html and host-vpc.html, for a private VPC
DOCUMENTED = {
    "ec2:CreateNetworkInterface",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    *CHANGES,
}


@pytest.fixture(params=["all of github", "all of codebuild"])
def stack(request: pytest.FixtureRequest) -> Stack:
    return Stack(TEMPLATE, FORMS[request.param])


@pytest.mark.parametrize("role", ROLES)
def test_a_role_of_jobs_and_models_may_do_what_sagemaker_documents_for_a_vpc(stack: Stack, role: str) -> None:
    assert {action for action in actions(stack.policy(role)) if action.startswith("ec2:")} == DOCUMENTED


@pytest.mark.parametrize("form", [GITHUB, CODEBUILD], ids=["github", "codebuild"])
def test_without_a_vpc_no_role_does_anything_in_a_network(form: Mapping[str, str]) -> None:
    stack = Stack(TEMPLATE, form)
    for role in stack.of_type("AWS::IAM::Role"):
        assert not [action for action in actions(stack.policy(role)) if action.startswith("ec2:")]
    assert not {"SubnetIds", "SecurityGroupIds"} & set(stack.outputs)


def test_with_github_no_other_role_does_anything_in_the_network() -> None:
    stack = Stack(TEMPLATE, ALL_GITHUB)
    roles = stack.of_type("AWS::IAM::Role")
    assert {role for role in roles if "ec2:CreateNetworkInterface" in actions(stack.policy(role))} == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("resource", "context", "is_allowed"),
    [
        ("network-interface/eni-0abc", {}, True),
        ("subnet/subnet-0abc", {"ec2:SubnetID": "subnet-0abc", **INSIDE}, True),
        ("subnet/subnet-0abd", {"ec2:SubnetID": "subnet-0abd", **INSIDE}, True),
        ("subnet/subnet-0fff", {"ec2:SubnetID": "subnet-0fff", **INSIDE}, False),
        ("security-group/sg-0abc", {"ec2:SecurityGroupID": "sg-0abc", **INSIDE}, True),
        ("security-group/sg-0fff", {"ec2:SecurityGroupID": "sg-0fff", **INSIDE}, False),
    ],
)
def test_interfaces_are_made_in_the_subnets_and_groups_that_are_given_only(
    stack: Stack, role: str, resource: str, context: Mapping[str, str], is_allowed: bool
) -> None:
    asked = Request("ec2:CreateNetworkInterface", f"{PLACE}:{resource}", context)
    assert allows(stack.policy(role), asked) == is_allowed


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", CHANGES)
def test_interfaces_of_another_vpc_are_left_alone(stack: Stack, role: str, action: str) -> None:
    for context, is_allowed in ((INSIDE, True), (OUTSIDE, False), ({}, False)):
        assert allows(stack.policy(role), Request(action, INTERFACE, context)) == is_allowed


def test_the_boundary_leaves_the_roles_all_of_it(installed: Stack) -> None:
    boundary = installed.of_type("AWS::IAM::ManagedPolicy")["PermissionsBoundary"]["PolicyDocument"]
    assert {action for action in actions(boundary) if action.startswith("ec2:")} == DOCUMENTED


def test_the_outputs_are_what_init_project_takes(stack: Stack) -> None:
    outputs = stack.outputs
    assert {name: outputs[name] for name in ("SubnetIds", "SecurityGroupIds")} == {
        name: VPC[name] for name in ("SubnetIds", "SecurityGroupIds")
    }
    assert RULES["subnets"].allows(outputs["SubnetIds"].split(","))
    assert RULES["security_groups"].allows(outputs["SecurityGroupIds"].split(","))
    described = {name: stack.document["Outputs"][name]["Description"] for name in outputs}
    assert described["SubnetIds"].endswith("init-project --subnets")
    assert described["SecurityGroupIds"].endswith("init-project --security-groups")
