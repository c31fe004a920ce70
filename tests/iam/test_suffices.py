"""Each role of the template may do all that its work takes, as it was recorded."""

from tests.iam.adoption import here
from tests.iam.evaluator import Request, allows
from tests.iam.loop import Loop
from tests.project_template.conftest import INSTALLED
from tests.project_template.stack import INSTALL, Stack

# The SDK asks before it looks at the bucket that it is given, and takes a no for an answer.
ASKED_IN_VAIN = {("BuildRole", "s3:ListAllMyBuckets")}


def refused(loop: Loop) -> set[str]:
    return {
        f"{asked.role}: {asked.request}"
        for asked in loop.asked
        if not loop.roles.is_allowed(asked) and (asked.role, asked.request.action) not in ASKED_IN_VAIN
    }


def test_each_role_may_do_what_its_work_takes_with_github(github_loop: Loop) -> None:
    assert refused(github_loop) == set()


def test_each_role_may_do_what_its_work_takes_with_codebuild(codebuild_loop: Loop) -> None:
    assert refused(codebuild_loop) == set()


def test_the_boundary_of_the_launch_role_leaves_each_role_its_work(github_loop: Loop, codebuild_loop: Loop) -> None:
    boundary = here(Stack(INSTALL, INSTALLED).of_type("AWS::IAM::ManagedPolicy")["PermissionsBoundary"])
    outside = {
        f"{asked.role}: {asked.request}"
        for loop in (github_loop, codebuild_loop)
        for asked in loop.asked
        if loop.roles.is_allowed(asked) and not allows(boundary["PolicyDocument"], tagged(asked.request))
    }
    assert outside == set()


def tagged(request: Request) -> Request:
    """Return the request with the tag of the project's key, by which the boundary knows it."""
    tag = {"aws:ResourceTag/sagemaker:project-id": "p-abc123"} if request.action.startswith("kms:") else {}
    return Request(request.action, request.resource, {**request.context, **tag})
