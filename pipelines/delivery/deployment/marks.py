"""What the registry is told about a deployment: the stage that a version has reached, or was turned back from."""

from __future__ import annotations

import os

from pipelines.delivery.caller import find_caller
from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.report import Report
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.lifecycle import DEPLOYED, ROLLED_BACK, Stage, StageStatus, set_stage, with_history
from pipelines.delivery.packages import APPROVED, ModelPackage, describe


def warn_of_past(tools: Tools, package: ModelPackage) -> None:
    """Say that a version was turned back before, which somebody may have forgotten."""
    if package.stage_status == ROLLED_BACK:
        note = f": {package.stage_note}" if package.stage_note else ""
        tools.journal.say(f"warning: {package.name} was rolled back in {package.stage} before{note}")


def mark_deployed(tools: Tools, package: ModelPackage, order: Order, report: Report) -> None:
    """Write down that a version serves in a stage and passed its test there."""
    numbers = "; ".join(
        f"{check.name} {check.detail}" for check in report.checks if check.name in {"ROC AUC", "latency"}
    )
    _mark(tools, package, order, DEPLOYED, f"passed its test at endpoint {order.endpoint}: {numbers}")


def mark_rolled_back(tools: Tools, package: ModelPackage, order: Order, why: str) -> None:
    """Write down that a version was taken out of a stage, and why."""
    _mark(tools, package, order, ROLLED_BACK, f"taken out of endpoint {order.endpoint}: {why}")


def _mark(tools: Tools, package: ModelPackage, order: Order, status: StageStatus, note: str) -> None:
    # Somebody may have decided about it while it was deployed.
    now = describe(tools.sagemaker, package.arn)
    if _stays(now, order.stage, status):
        return
    caller = find_caller(tools.site.session, os.environ)
    told = with_history(f"{status} by {caller.said}: {note}", now.stage_record)
    set_stage(tools.sagemaker, now.arn, order.stage, status, told)
    tools.journal.change(f"{now.name} is {status} in {order.stage}")


def _stays(package: ModelPackage, stage: Stage, status: StageStatus) -> bool:
    """Whether the registry says it already, or something that it must not lose, for a package has one stage.

    What a person rejected stays rejected, and what a person approved for this stage stays so until it is rolled back.
    """
    is_beyond = (stage, package.stage) == ("staging", "production")
    keeps = {status, APPROVED} if status == DEPLOYED else {status}
    is_told = package.stage == stage and package.stage_status in keeps
    return is_beyond or is_told or package.turned_down(stage) is not None
