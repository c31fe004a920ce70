"""A stack is waited for, and what CloudFormation says of a failure is told in one line."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.adoption.installation import stack as stacks
from pipelines.adoption.installation.stack import create, declared_parameters, delete, find_stack, update
from pipelines.delivery.errors import DeliveryError, InterruptionError
from tests.adoption.aws import MotoAws
from tests.delivery.deployment.service import Refusal

TEMPLATE = """
Parameters:
  Name: {Type: String}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Ref Name}
Outputs:
  Topic: {Value: !Ref Topic}
"""
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "FIRST_PAUSE", 0.001)


def made(aws: MotoAws) -> stacks.Stack:
    client = aws.client("cloudformation")
    create(client, "topics", TEMPLATE, {"Name": "first"})
    found = find_stack(client, "topics")
    assert found
    return found


def event(resource: str, status: str, reason: str | None = None, *, arn: str = "arn") -> dict[str, Any]:
    told = {"ResourceStatusReason": reason} if reason else {}
    return {
        "StackId": "arn",
        "EventId": f"{resource}-{status}",
        "StackName": "topics",
        "Timestamp": NOW,
        "LogicalResourceId": resource,
        "PhysicalResourceId": arn,
        "ResourceStatus": status,
        **told,
    }


def test_a_stack_is_read_with_its_template_parameters_and_outputs(aws: MotoAws) -> None:
    stack = made(aws)
    assert (stack.name, stack.status, stack.template) == ("topics", "CREATE_COMPLETE", TEMPLATE)
    assert stack.parameters == {"Name": "first"}
    assert stack.outputs["Topic"].endswith(":first")
    assert declared_parameters(aws.client("cloudformation"), TEMPLATE) == {"Name"}


def test_there_is_no_stack_before_it_is_made_and_after_it_is_deleted(aws: MotoAws) -> None:
    client = aws.client("cloudformation")
    assert find_stack(client, "topics") is None
    stack = made(aws)
    delete(client, stack)
    assert find_stack(client, "topics") is None
    assert find_stack(client, stack.arn) is None


def test_a_refusal_is_not_taken_for_a_stack_that_is_missing(aws: MotoAws) -> None:
    aws.deny("DescribeStacks")
    with pytest.raises(ClientError, match="AccessDenied"):
        find_stack(aws.client("cloudformation"), "topics")


def test_what_goes_on_is_waited_for(aws: MotoAws) -> None:
    aws.statuses = ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS"]
    stack = made(aws)
    assert aws.statuses == []
    aws.statuses = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]
    update(aws.client("cloudformation"), stack, TEMPLATE, {"Name": "second"})
    found = find_stack(aws.client("cloudformation"), "topics")
    assert found
    assert (found.status, found.parameters) == ("UPDATE_COMPLETE", {"Name": "second"})


def test_a_stack_that_is_as_it_should_be_is_updated(aws: MotoAws) -> None:
    stack = made(aws)
    aws.answers["UpdateStack"] = Refusal("ValidationError", "No updates are to be performed.")
    update(aws.client("cloudformation"), stack, TEMPLATE, {"Name": "first"})
    assert find_stack(aws.client("cloudformation"), "topics") == stack


def test_another_error_of_an_update_is_one(aws: MotoAws) -> None:
    stack = made(aws)
    aws.answers["UpdateStack"] = Refusal("ValidationError", "Parameters: [Name] must have values")
    with pytest.raises(ClientError, match="must have values"):
        update(aws.client("cloudformation"), stack, TEMPLATE, {})


def test_of_a_failure_the_resource_that_failed_first_is_told(aws: MotoAws) -> None:
    stack = made(aws)
    aws.answers["DescribeStackEvents"] = lambda _: {
        "StackEvents": [
            event("topics", "UPDATE_ROLLBACK_COMPLETE", arn=stack.arn),
            event("Queue", "CREATE_FAILED", "Resource creation cancelled"),
            event("Role", "CREATE_FAILED", "Policy is invalid"),
            event("Topic", "UPDATE_FAILED", "Name is taken"),
            event("topics", "UPDATE_IN_PROGRESS", "User Initiated", arn=stack.arn),
            event("Topic", "CREATE_FAILED", "of the time before"),
        ]
    }
    aws.statuses = ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    with pytest.raises(DeliveryError) as caught:
        update(aws.client("cloudformation"), stack, TEMPLATE, {"Name": "second"})
    assert str(caught.value) == (
        "the stack topics is UPDATE_ROLLBACK_COMPLETE: Topic: Name is taken. Next: correct that, then the same command"
    )


def test_a_stack_that_is_not_deleted_whole_is_told(aws: MotoAws) -> None:
    stack = made(aws)
    failed = event("Topic", "DELETE_FAILED", "It is in use")
    aws.answers["DescribeStackEvents"] = lambda _: {"StackEvents": [failed]}
    aws.answers["DeleteStack"] = lambda _: {}
    aws.statuses = ["DELETE_FAILED"]
    with pytest.raises(DeliveryError, match="the stack topics is DELETE_FAILED: Topic: It is in use"):
        delete(aws.client("cloudformation"), stack)


def test_whoever_stops_waiting_is_told_that_the_stack_goes_on(aws: MotoAws) -> None:
    looks = iter([None, None])

    def press(_: object) -> None:
        if next(looks, "pressed"):
            raise KeyboardInterrupt

    aws.statuses = ["CREATE_IN_PROGRESS"] * 10
    aws.answers["DescribeStacks"] = press
    with pytest.raises(InterruptionError, match="stopped waiting for the stack topics, which goes on"):
        create(aws.client("cloudformation"), "topics", TEMPLATE, {"Name": "first"})
    assert len(aws.statuses) == 8


@pytest.mark.parametrize(
    ("status", "way_out"),
    [
        ("ROLLBACK_COMPLETE", "project-template uninstall --yes, then the same command again"),
        ("REVIEW_IN_PROGRESS", "project-template uninstall --yes, then the same command again"),
        ("UPDATE_IN_PROGRESS", "wait, then the same command"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name topics"),
    ],
)
def test_a_stack_that_cannot_be_changed_is_refused_with_a_way_out(aws: MotoAws, status: str, way_out: str) -> None:
    made(aws)
    aws.statuses = [status]
    stack = find_stack(aws.client("cloudformation"), "topics")
    assert stack
    with pytest.raises(DeliveryError) as caught:
        stack.check_usable()
    assert str(caught.value).startswith(f"the stack topics is {status}")
    assert str(caught.value).endswith(f"Next: {way_out}")


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_stands_can_be_changed(aws: MotoAws, status: str, tmp_path: Path) -> None:
    made(aws)
    aws.statuses = [status]
    stack = find_stack(aws.client("cloudformation"), "topics")
    assert stack
    stack.check_usable()
