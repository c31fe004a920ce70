"""moto, an IAM by other people, decides as the evaluator here does, and carries out what it can of the loop."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from tests.iam.adoption import Roles
from tests.iam.calls import Call, questions
from tests.iam.evaluator import Policy, Request, allows
from tests.iam.loop import Loop
from tests.iam.moto_account import moto_account

# As moto says it for all services but S3, and for S3.
REFUSALS = {"403", "AccessDenied"}
NOT_IMPLEMENTED = {"ListPipelineExecutionSteps", "ListTrainingJobsForHyperParameterTuningJob", "UpdateEndpoint"}
# CloudWatch's actions are called `monitoring:` there, which no policy of AWS's can allow.
NOT_SENT = {"monitoring", "sts"}
# It asks for s3:HeadBucket, which IAM does not know.
BY_ANOTHER_NAME = "HEAD s3:ListBucket"
# The SDK asks before it looks at the bucket that it is given, and takes a no for an answer.
ASKED_IN_VAIN = "GET s3:ListAllMyBuckets"


@dataclass(frozen=True)
class Answer:
    """What moto says to a request of one role when the same or another one sends it."""

    role: str
    sender: str
    operation: str
    asked: Request
    said: str

    @property
    def is_refused(self) -> bool:
        return self.said in REFUSALS


@pytest.fixture(scope="module")
def roles(github_loop: Loop) -> Roles:
    return github_loop.roles


@pytest.fixture(scope="module")
def answers(github_loop: Loop, roles: Roles) -> list[Answer]:
    """What moto says to requests of the loop, each sent by the role that it is of, and then by every other."""
    found: list[Answer] = []
    with moto_account(roles, roles.outputs["ArtifactBucket"]) as account:
        for role, call in distinct(github_loop.calls):
            asked = next(questions(call))
            operation = call.operation or f"{call.method} {asked.action}"
            found += (
                Answer(role, sender, operation, asked, account.answer(sender, call))
                for sender in sorted(roles.names, key=lambda name: name != role)
            )
    return found


def distinct(calls: list[tuple[str, Call]]) -> Iterator[tuple[str, Call]]:
    """Yield one request of each kind, by role."""
    known = set()
    for role, call in calls:
        if call.service not in NOT_SENT:
            asked = next(questions(call))
            folder = asked.resource.rpartition("/")[0] or asked.resource
            kind = (role, call.operation, asked.action, folder, str(asked.context))
            if kind not in known:
                known.add(kind)
                yield role, call


def test_each_role_may_do_with_moto_what_it_did(answers: list[Answer]) -> None:
    refused = {(each.role, each.operation) for each in answers if each.role == each.sender and each.is_refused}
    assert refused == {("BuildRole", BY_ANOTHER_NAME), ("BuildRole", ASKED_IN_VAIN)}


def test_what_moto_can_of_the_loop_is_done(answers: list[Answer]) -> None:
    said = {(each.operation, each.said) for each in answers if each.role == each.sender}
    assert {operation for operation, answer in said if answer == "not implemented"} <= NOT_IMPLEMENTED
    done = {operation for operation, answer in said if answer == "done"}
    assert done >= {
        "AddTags",
        "CreateEndpoint",
        "CreateEndpointConfig",
        "CreateModel",
        "CreatePipeline",
        "DeleteEndpoint",
        "ListModelPackages",
        "POST sagemaker:InvokeEndpoint",
        "PUT s3:PutObject",
        "StartPipelineExecution",
        "UpdatePipeline",
    }


def test_moto_and_the_evaluator_refuse_the_same(answers: list[Answer], roles: Roles) -> None:
    known = [each for each in answers if each.operation != BY_ANOTHER_NAME]
    assert len(known) > 200
    differing = [each for each in known if each.is_refused == allows(bare(roles.permissions(each.sender)), each.asked)]
    assert differing == []
    assert {each.is_refused for each in known} == {True, False}


def test_conditions_are_for_the_evaluator_alone_to_look_at(answers: list[Answer], roles: Roles) -> None:
    overlooked = {
        (each.sender, each.operation)
        for each in answers
        if not each.is_refused and not allows(roles.permissions(each.sender), each.asked)
    }
    stages = {"BuildRole", "StagingRole", "ProductionRole", "ApproveRole"}
    assert overlooked == {(role, "UpdateModelPackage") for role in stages}


def bare(policy: Policy) -> Policy:
    """Return a policy without its conditions."""
    statements = [{name: value for name, value in each.items() if name != "Condition"} for each in policy["Statement"]]
    return {"Statement": statements}


@pytest.mark.parametrize("effects", [("Allow",), ("Allow", "Deny"), ("Deny", "Allow"), ("Deny",), ("Allow", "Allow")])
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::data/a/b"),
        ("s3:GetObject", "arn:aws:s3:::data/b"),
        ("s3:GetObject", "arn:aws:s3:::dat/a"),
        ("s3:GetObjectAcl", "arn:aws:s3:::data/a/b"),
        ("s3:PutObject", "arn:aws:s3:::data/a/b"),
        ("sagemaker:GetObject", "*"),
    ],
)
@pytest.mark.parametrize(
    "members", [{"Action": "s3:Get*"}, {"Action": ["s3:GetObject", "s3:Put*"]}, {"NotAction": "s3:Put*"}]
)
def test_moto_and_the_evaluator_read_statements_alike(
    effects: tuple[str, ...], action: str, resource: str, members: dict[str, Any]
) -> None:
    places = ["arn:aws:s3:::data/*", ["arn:aws:s3:::data/a/*", "arn:aws:s3:::data"]]
    statements = [
        {"Effect": effect, "Resource": place, **members} for effect, place in zip(effects, places, strict=False)
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    decided = IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)
    assert allows(policy, Request(action, resource)) == (decided == PermissionResult.PERMITTED)
