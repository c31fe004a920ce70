"""deploy-model --rollback: back to the version that served before, or else to an older approved one, and tested."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipelines.delivery.deployment.attempt import Attempt, make_attempt
from pipelines.delivery.deployment.endpoint import settle
from pipelines.delivery.deployment.endpoint_test import check_testable
from pipelines.delivery.deployment.memory import Memory, read_memory, write_memory
from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.plan import Plan, make_plan
from pipelines.delivery.deployment.result import Result
from pipelines.delivery.deployment.rows import read_rows
from pipelines.delivery.deployment.serving import package_of
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.packages import APPROVED, ModelPackage, approved


@dataclass(frozen=True)
class Way:
    """The config that is returned from, and the one that served before it, where that is known."""

    left: str
    known: str | None


def roll_back(tools: Tools, order: Order) -> Result:
    """Return the endpoint to the version before; where that was done already, test it and change nothing."""
    state = settle(tools, order.endpoint)
    if state is None or state.config is None:
        raise DeliveryError(f"there is no endpoint {order.endpoint} that could be rolled back")
    memory = read_memory(tools, state.arn, order.endpoint)
    way = _find_way(memory, state.config)
    package, plan = _target(tools, order, way)
    check_testable(package, order.limits)
    rows = read_rows(tools, package, order.test_data)
    if _is_done(memory, state.config):
        tools.journal.say(f"{order.endpoint} was returned to {package.name} before: there is nothing to do")
    else:
        tools.journal.say(f"rolling back to {package.name} ({plan.config})")
        # So that a command that is cut off is taken up as what it was.
        write_memory(tools, state.arn, replace(memory, left=way.left), memory)
    # A version that errs makes the very alarms ring that a canary would listen to.
    return make_attempt(Attempt(tools, order, package, replace(plan, deployment=None), rows, way.left))


def _is_done(memory: Memory, serving: str) -> bool:
    return memory.left is not None and memory.left != memory.tested and memory.tested == serving


def _find_way(memory: Memory, serving: str) -> Way:
    """Find the way back; also where an earlier call has gone it, in whole or in part."""
    if memory.left and _is_done(memory, serving):
        return Way(memory.left, serving)
    if memory.tested is None or memory.tested in {serving, memory.left}:
        return Way(memory.tested or serving, memory.previous)
    # What serves was never tested, for whoever deployed it was interrupted.
    return Way(serving, memory.tested)


def _target(tools: Tools, order: Order, way: Way) -> tuple[ModelPackage, Plan]:
    """Return where to go: to what served before, if it is approved still, or else to an older approved version."""
    package = package_of(tools, way.known) if way.known else None
    if way.known and package and package.approval == APPROVED and not package.turned_down(order.stage):
        return package, Plan(way.known)
    current = package_of(tools, way.left)
    if current is None:
        raise DeliveryError(f"the model package behind {way.left} is not known: name one with --model-package")
    older = (each for each in approved(tools.sagemaker, order.group) if each.version < current.version)
    package = next((each for each in older if not each.turned_down(order.stage)), None)
    if package is None:
        raise DeliveryError(
            f"there is nothing to return to from {current.name}: "
            f"no earlier version of {order.group} is Approved and not rejected for {order.stage}"
        )
    return package, make_plan(package, order)
