"""Each role is refused what is another's to do: all that was done in the loop, tried as every other role."""

from collections.abc import Iterable, Mapping

import pytest

from tests.iam.adoption import Asked
from tests.iam.evaluator import Request
from tests.iam.loop import Loop
from tests.iam.reference import action

RUNS, STAGES = frozenset({"BuildRole", "PipelineExecutionRole"}), frozenset({"StagingRole", "ProductionRole"})
ENDPOINTS = frozenset({"EndpointRole", "PipelineExecutionRole"})
INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
WITH_KEY = RUNS | STAGES | {"EndpointRole"}
# By action: the roles that can do to each other's things what they do to their own, as long as that is all.
SHARED: Mapping[str, Iterable[frozenset[str]]] = {
    # Metrics are no resources, so the namespace is all that tells them apart.
    "cloudwatch:PutMetricData": [ENDPOINTS],
    # Whoever runs the pipeline passes its role, and each stage that of endpoints.
    "iam:PassRole": [RUNS, STAGES],
    # Network interfaces are named by EC2, and all of them are in the project's one VPC.
    **{name: [ENDPOINTS] for name in INTERFACES},
    # A project has one key.
    "kms:CreateGrant": [STAGES],
    "kms:Decrypt": [WITH_KEY],
    "kms:GenerateDataKey": [WITH_KEY],
    # Code and data go up for a run, models and reports come out of it, all below the project's prefix.
    "s3:PutObject": [RUNS],
    # A version has one model, whichever stage made it; endpoints and their configs are each stage's own.
    "sagemaker:AddTags": [STAGES],
    "sagemaker:CreateModel": [STAGES],
}
# CodeBuild puts the number of the build before the name of the project.
SHARED_BY_BUILDS = {
    "s3:PutObject": [RUNS | STAGES],
    **{name: [RUNS | STAGES | {"EndpointRole", "PullRequestRole"}] for name in INTERFACES},
}


def check_shared(loop: Loop, expected: Mapping[str, Iterable[frozenset[str]]]) -> None:
    """Check that no role could change what another one changed, but for what is expected, and that this is so."""
    found: dict[str, set[frozenset[str]]] = {}
    for asked in loop.asked:
        for role in loop.roles.names:
            is_shared = role != asked.role and loop.roles.is_allowed(Asked(role, asked.request))
            if is_shared and action(asked.request.action).changes:
                found.setdefault(asked.request.action, set()).add(frozenset({role, asked.role}))
    for name, between in found.items():
        assert all(any(pair <= group for group in expected.get(name, ())) for pair in between), (name, between)


def test_no_role_changes_what_is_anothers_with_github(github_loop: Loop) -> None:
    check_shared(github_loop, SHARED)


def test_no_role_changes_what_is_anothers_with_codebuild(codebuild_loop: Loop) -> None:
    check_shared(codebuild_loop, {**SHARED, **SHARED_BY_BUILDS})


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("cloudwatch:PutMetricAlarm", "ProductionRole"),
        ("events:InvokeApiDestination", "EventsRole"),
        ("sagemaker:CreateEndpointConfig", "ProductionRole"),
        ("sagemaker:CreateEndpoint", "StagingRole"),
        ("sagemaker:CreateModelPackage", "PipelineExecutionRole"),
        ("sagemaker:StartPipelineExecution", "BuildRole"),
        ("sagemaker:UpdateEndpoint", "StagingRole"),
        ("sagemaker:UpdateModelPackage", "ApproveRole"),
        ("sagemaker:UpdateModelPackage", "ProductionRole"),
        ("sagemaker:UpdatePipeline", "BuildRole"),
    ],
)
def test_one_role_alone_does_what_it_is_there_for(github_loop: Loop, name: str, owner: str) -> None:
    done = [asked.request for asked in github_loop.asked if (asked.role, asked.request.action) == (owner, name)]
    assert done
    roles = github_loop.roles
    may = {role for request in done for role in roles.names if roles.is_allowed(Asked(role, request))}
    assert may == {owner}


@pytest.mark.parametrize("cycle", [{}, {"sagemaker:ModelLifeCycle:Stage": "production"}])
@pytest.mark.parametrize("approval", ["Approved", "PendingManualApproval"])
def test_a_run_registers_its_model_and_approves_nothing(
    github_loop: Loop, approval: str, cycle: Mapping[str, str]
) -> None:
    (package,) = {
        asked.request.resource
        for asked in github_loop.asked
        if asked.request.action == "sagemaker:CreateModelPackage" and ":model-package/" in asked.request.resource
    }
    said = Request("sagemaker:CreateModelPackage", package, {"sagemaker:ModelApprovalStatus": approval, **cycle})
    is_modest = approval == "PendingManualApproval" and not cycle
    assert github_loop.roles.is_allowed(Asked("PipelineExecutionRole", said)) == is_modest


def test_a_role_is_passed_to_sagemaker_and_no_other_role_is(github_loop: Loop, codebuild_loop: Loop) -> None:
    for loop in (github_loop, codebuild_loop):
        passed = {
            (asked.role, asked.request.resource) for asked in loop.asked if asked.request.action == "iam:PassRole"
        }
        for role, arn in passed:
            for other in loop.roles.names:
                may = Request("iam:PassRole", loop.roles.arn(other), {"iam:PassedToService": "ec2.amazonaws.com"})
                assert not loop.roles.is_allowed(Asked(role, may))
                to_sagemaker = Request(may.action, may.resource, {"iam:PassedToService": "sagemaker.amazonaws.com"})
                assert loop.roles.is_allowed(Asked(role, to_sagemaker)) == (arn == may.resource)
