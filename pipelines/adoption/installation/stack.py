"""A stack of CloudFormation: read, made, brought up to date, deleted, and waited for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from pipelines.delivery.errors import DeliveryError, InterruptionError

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
GONE = "DELETE_COMPLETE"
UNCHANGED = "No updates are to be performed"
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.5, 10.0, 1.5
# A stack in one of these states can be deleted, and nothing else.
_DEAD = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"})


@dataclass(frozen=True)
class Stack:
    """A stack as it is: its state, the template's text, the parameters that it was given, and its outputs."""

    name: str
    arn: str
    status: str
    template: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def is_dead(self) -> bool:
        """Whether it was never whole, or is half deleted."""
        return self.status in _DEAD

    def check_usable(self) -> None:
        """Refuse to change a stack that is being changed, or that cannot be."""
        if self.is_dead:
            raise DeliveryError(
                f"the stack {self.name} is {self.status}, which CloudFormation can only delete. "
                "Next: project-template uninstall --yes, then the same command again"
            )
        if self.status.endswith("_IN_PROGRESS"):
            raise DeliveryError(
                f"the stack {self.name} is {self.status}: another change goes on. Next: wait, then the same command"
            )
        if self.status == "UPDATE_ROLLBACK_FAILED":
            raise DeliveryError(
                f"the stack {self.name} is {self.status}. "
                f"Next: aws cloudformation continue-update-rollback --stack-name {self.name}"
            )


def find_stack(client: Any, name: str) -> Stack | None:
    """Return a stack by its name or ARN; none where there is none, or no more."""
    found = _describe(client, name)
    if found is None:
        return None
    return Stack(
        name=found["StackName"],
        arn=found["StackId"],
        status=found["StackStatus"],
        template=_template(client, found["StackId"]),
        parameters={each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])},
        outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
    )


def declared_parameters(client: Any, template: str) -> set[str]:
    """Return the names of a template's parameters; CloudFormation refuses a template that is none."""
    summary = client.get_template_summary(TemplateBody=template)
    return {each["ParameterKey"] for each in summary.get("Parameters", [])}


def create(client: Any, name: str, template: str, parameters: Mapping[str, str]) -> None:
    """Make a stack and wait until it is whole."""
    answer = client.create_stack(
        StackName=name, TemplateBody=template, Parameters=_given(parameters), Capabilities=CAPABILITIES
    )
    _wait(client, answer["StackId"], "CREATE_COMPLETE")


def update(client: Any, stack: Stack, template: str, parameters: Mapping[str, str]) -> None:
    """Bring a stack up to date and wait until it is; one that is so already is a success."""
    try:
        client.update_stack(
            StackName=stack.arn, TemplateBody=template, Parameters=_given(parameters), Capabilities=CAPABILITIES
        )
    except ClientError as error:
        if UNCHANGED not in error.response["Error"].get("Message", ""):
            raise
    else:
        _wait(client, stack.arn, "UPDATE_COMPLETE")


def delete(client: Any, stack: Stack) -> None:
    """Delete a stack and wait until it is gone."""
    client.delete_stack(StackName=stack.arn)
    _wait(client, stack.arn, GONE)


def _wait(client: Any, arn: str, wanted: str) -> None:
    name = arn.split("/")[1]
    try:
        status = _last_status(client, arn)
    except KeyboardInterrupt as error:
        raise InterruptionError(
            f"stopped waiting for the stack {name}, which goes on. Next: once it has ended, the same command"
        ) from error
    if status != wanted:
        reason = _reason(client, arn)
        raise DeliveryError(f"the stack {name} is {status}: {reason}. Next: correct that, then the same command")


def _last_status(client: Any, arn: str) -> str:
    pause = FIRST_PAUSE
    while (status := _status(client, arn)).endswith("_IN_PROGRESS"):
        time.sleep(pause)
        pause = min(pause * GROWTH, LONGEST_PAUSE)
    return status


def _status(client: Any, arn: str) -> str:
    found = _describe(client, arn)
    return found["StackStatus"] if found else GONE


def _describe(client: Any, name: str) -> dict[str, Any] | None:
    try:
        found: list[dict[str, Any]] = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
    return None if found[0]["StackStatus"] == GONE else found[0]


def _reason(client: Any, arn: str) -> str:
    """Return why the last change of a stack failed: the first resource that did."""
    reason = "see its events in the console"
    for page in client.get_paginator("describe_stack_events").paginate(StackName=arn):
        for event in page["StackEvents"]:
            if event["PhysicalResourceId"] == arn and event.get("ResourceStatusReason") == "User Initiated":
                return reason
            if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in event.get("ResourceStatusReason", ""):
                reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
    return reason


def _template(client: Any, arn: str) -> str:
    body = client.get_template(StackName=arn, TemplateStage="Original")["TemplateBody"]
    return body if isinstance(body, str) else ""


def _given(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in sorted(parameters.items())]
