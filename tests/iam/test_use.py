"""Whatever a role of the template may do is done in the loop, or there is a reason why it may."""

from collections.abc import Iterator, Mapping

import pytest

from tests.iam.evaluator import actions, matches
from tests.iam.loop import Loop
from tests.iam.reference import action

LOOKS = "the service looks at what its steps have made"
STOPS = "an execution that is stopped, stops its jobs"
# By role and action: why it is allowed though nothing in the loop asks for it.
UNUSED: Mapping[tuple[str, str], str] = {
    ("BuildRole", "s3:DeleteObject"): "takes back an upload that changed while it was read",
    ("BuildRole", "sagemaker:StopPipelineExecution"): "run-pipeline --stop-on-interrupt, for builds that are stopped",
    ("BuildRole", "sagemaker:UpdateModelPackage"): "run-pipeline --no-regression rejects a model that is worse",
    ("PipelineExecutionRole", "sagemaker:DescribeModel"): LOOKS,
    ("PipelineExecutionRole", "sagemaker:DescribeModelPackage"): LOOKS,
    ("PipelineExecutionRole", "sagemaker:DescribeModelPackageGroup"): LOOKS,
    ("PipelineExecutionRole", "sagemaker:ListTrainingJobsForHyperParameterTuningJob"): LOOKS,
    ("PipelineExecutionRole", "sagemaker:StopHyperParameterTuningJob"): STOPS,
    ("PipelineExecutionRole", "sagemaker:StopProcessingJob"): STOPS,
    ("PipelineExecutionRole", "sagemaker:StopTrainingJob"): STOPS,
    ("ProductionRole", "sagemaker:DeleteEndpoint"): "a first version that fails only in production, as one in staging",
    ("ProductionRole", "sagemaker:DeleteTags"): "deploy-model --rollback, which the loop calls for staging",
}
# By role, statement and kind: resources that are allowed though nothing in the loop touches them.
UNTOUCHED: Mapping[tuple[str, str, str], str] = {
    ("BuildRole", "LogsOfJobs", "log-group"): "processing jobs that break, as the loop's training job does",
    ("BuildRole", "LongDefinitions", "object"): "definitions of 100 KB and more go by way of S3",
    ("BuildRole", "RejectOnly", "model-package"): "run-pipeline --no-regression rejects a model that is worse",
    ("PipelineExecutionRole", "LongDefinitions", "object"): "the service reads what went by way of S3",
    ("PipelineExecutionRole", "Registry", "model-package-group"): LOOKS,
}


@pytest.fixture(scope="module")
def loops(github_loop: Loop, codebuild_loop: Loop) -> tuple[Loop, Loop]:
    return github_loop, codebuild_loop


def test_each_allowed_action_is_used_or_has_its_reason(loops: tuple[Loop, Loop]) -> None:
    allowed = {(role, name) for loop in loops for role in loop.roles.names for name in may(loop, role)}
    used = {(asked.role, asked.request.action) for loop in loops for asked in loop.asked}
    assert allowed - used == set(UNUSED)


def test_each_allowed_resource_is_touched_or_has_its_reason(loops: tuple[Loop, Loop]) -> None:
    left = {entry for loop in loops for entry in resources(loop)}
    for asked in (asked for loop in loops for asked in loop.asked):
        done, on = asked.request.action, asked.request.resource
        left -= {each for each in left if each[0] == asked.role and done in each[2] and matches(each[3], on)}
    assert {(role, sid, kind(names, pattern)) for role, sid, names, pattern in left} == set(UNTOUCHED)


def may(loop: Loop, role: str) -> set[str]:
    return actions(loop.roles.permissions(role))


def resources(loop: Loop) -> Iterator[tuple[str, str, frozenset[str], str]]:
    """Yield the resources of all statements, with role, statement and actions."""
    for role in loop.roles.names:
        for statement in loop.roles.permissions(role)["Statement"]:
            for pattern in listed(statement["Resource"]):
                yield role, statement.get("Sid", ""), frozenset(listed(statement["Action"])), pattern


def kind(names: frozenset[str], pattern: str) -> str:
    """Return what the actions call a resource."""
    return next(found.name for name in sorted(names) if (found := action(name).type_of(pattern)))


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
