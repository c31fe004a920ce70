"""What the registry is told about a deployment: the stage that a version has reached, or was turned back from."""

from __future__ import annotations

import os

from pipelines.delivery.caller import find_caller
from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.report import Report
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.lifecycle import StageStatus, set_stage
from pipelines.delivery.packages import ModelPackage


def warn_of_past(tools: Tools, package: ModelPackage) -> None:
    """Say that a version was turned back before, which somebody may have forgotten."""
    if package.stage_status == "RolledBack":
        note = f": {package.stage_note}" if package.stage_note else ""
        tools.journal.say(f"warning: {package.name} was rolled back in {package.stage} before{note}")


def mark_deployed(tools: Tools, package: ModelPackage, order: Order, report: Report) -> None:
    """Write down that a version serves in a stage and passed its test there."""
    numbers = "; ".join(
        f"{check.name} {check.detail}" for check in report.checks if check.name in {"ROC AUC", "latency"}
    )
    _mark(tools, package, order, "Deployed", f"passed its test at endpoint {order.endpoint}: {numbers}")


def mark_rolled_back(tools: Tools, package: ModelPackage, order: Order, why: str) -> None:
    """Write down that a version was taken out of a stage, and why."""
    _mark(tools, package, order, "RolledBack", f"taken out of endpoint {order.endpoint}: {why}")


def _mark(tools: Tools, package: ModelPackage, order: Order, status: StageStatus, note: str) -> None:
    # A package has one stage: what production says of it must not be lost to what staging says later.
    is_beyond = (order.stage, package.stage) == ("staging", "production")
    if is_beyond or (package.stage, package.stage_status) == (order.stage, status):
        return
    caller = find_caller(tools.site.session, os.environ)
    set_stage(tools.sagemaker, package.arn, order.stage, status, f"{status} by {caller.said}: {note}")
    tools.journal.change(f"{package.name} is {status} in {order.stage}")
