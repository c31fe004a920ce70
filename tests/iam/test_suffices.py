"""Each role of the template may do all that its work takes, as it was recorded."""

from tests.iam.loop import Loop

# The SDK asks before it looks at the bucket that it is given, and takes a no for an answer.
ASKED_IN_VAIN = {("BuildRole", "s3:ListAllMyBuckets")}


def refused(loop: Loop) -> set[str]:
    return {
        f"{asked.role}: {asked.request}"
        for asked in loop.asked
        if not loop.adoption.is_allowed(asked) and (asked.role, asked.request.action) not in ASKED_IN_VAIN
    }


def test_each_role_may_do_what_its_work_takes_with_github(github_loop: Loop) -> None:
    assert refused(github_loop) == set()


def test_each_role_may_do_what_its_work_takes_with_codebuild(codebuild_loop: Loop) -> None:
    assert refused(codebuild_loop) == set()
