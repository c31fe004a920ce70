"""The `RetryPolicies` of a step."""

from collections.abc import Mapping
from typing import Any

from pipelines.local.definition.members import Members
from pipelines.local.definition.place import Refusal

MEMBERS = ("ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin")
EXCEPTION_TYPES = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)
MOST_INTERVAL_SECONDS = 43200
MOST_ATTEMPTS = 20
MOST_EXPIRE_AFTER_MINUTES = 14400


def read_retry_policies(step: Members) -> tuple[Mapping[str, Any], ...]:
    """Read the retry policies of a step, as they stand, after checking them."""
    place = step.at("RetryPolicies")
    policies = step.list("RetryPolicies")
    for index, value in enumerate(policies):
        _check_policy(Members(value, (place, index), MEMBERS))
    return tuple(policies)


def _check_policy(policy: Members) -> None:
    policy.any("ExceptionType")
    for index, value in enumerate(policy.list("ExceptionType")):
        if value not in EXCEPTION_TYPES:
            hint = f"there are: {', '.join(EXCEPTION_TYPES)}"
            raise Refusal(f"Unknown exception type {value!r:.100}.", (policy.at("ExceptionType"), index), hint=hint)
    policy.number("IntervalSeconds", least=0, most=MOST_INTERVAL_SECONDS)
    policy.number("BackoffRate", least=0, most=float("inf"))
    attempts = policy.number("MaxAttempts", least=0, most=MOST_ATTEMPTS, whole=True)
    minutes = policy.number("ExpireAfterMin", least=0, most=MOST_EXPIRE_AFTER_MINUTES)
    if attempts is not None and minutes is not None:
        raise Refusal("A retry policy takes one of 'MaxAttempts' and 'ExpireAfterMin', not both.", policy.place)
