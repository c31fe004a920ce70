"""deploy-model: an approved package is released to a stage's endpoint and tested there."""

from __future__ import annotations

from pipelines.delivery.deployment.attempt import Attempt, make_attempt
from pipelines.delivery.deployment.endpoint_test import check_testable
from pipelines.delivery.deployment.marks import warn_of_past
from pipelines.delivery.deployment.order import Order, check_approved
from pipelines.delivery.deployment.plan import make_plan
from pipelines.delivery.deployment.result import Result
from pipelines.delivery.deployment.rows import read_rows
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.packages import ModelPackage, approved, find


def deploy(tools: Tools, order: Order, named: str | None) -> Result:
    """Deploy the package that is named by ARN or version, or else the newest approved one."""
    package = _choose(tools, order, named)
    # All that can be refused is refused before anything is made.
    check_approved(package, order)
    check_testable(package, order.limits)
    plan, rows = make_plan(package, order), read_rows(tools.s3, package, order.test_data)
    warn_of_past(tools, package)
    return make_attempt(Attempt(tools, order, package, plan, rows))


def _choose(tools: Tools, order: Order, named: str | None) -> ModelPackage:
    if named:
        return find(tools.sagemaker, order.group, named)
    left_out = ""
    for package in approved(tools.sagemaker, order.group):
        if turned_down := package.turned_down(order.stage):
            tools.journal.say(f"left out: {turned_down}")
            left_out = f" that nobody rejected for {order.stage}"
            continue
        tools.journal.say(
            f"no --model-package is given: taking the newest Approved one, {package.name} ({package.arn})"
        )
        return package
    raise DeliveryError(
        f"model package group {order.group} has no Approved version{left_out}: "
        "approve one first (approve-model lists them)"
    )
