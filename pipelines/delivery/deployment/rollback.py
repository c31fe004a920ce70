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
from pipelines.delivery.deployment.serving import package_arn, package_of
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
    is_done = _is_done(memory, state.config) and _suitable(tools, order, state.config) is not None
    way = _find_way(memory, state.config, is_done=is_done)
    package, plan = _target(tools, order, way)
    check_testable(package, order.limits)
    rows = read_rows(tools.s3, package, order.test_data)
    if is_done:
        tools.journal.say(f"{order.endpoint} was returned to {package.name} before: there is nothing to do")
    else:
        tools.journal.say(f"rolling back to {package.name} ({plan.config})")
        # So that a command that is cut off is taken up as what it was.
        write_memory(tools, state.arn, replace(memory, left=way.left), memory)
    # A version that errs makes the very alarms ring that a canary would listen to.
    return make_attempt(Attempt(tools, order, package, replace(plan, deployment=None), rows, way.left))


def _is_done(memory: Memory, serving: str) -> bool:
    return memory.left is not None and memory.left != memory.tested and memory.tested == serving


def _find_way(memory: Memory, serving: str, *, is_done: bool) -> Way:
    """Find the way back; also where an earlier call has gone it, in whole or in part."""
    if memory.left and is_done:
        return Way(memory.left, serving)
    if memory.tested is None or memory.tested in {serving, memory.left}:
        return Way(memory.tested or serving, memory.previous)
    # What serves was never tested, for whoever deployed it was interrupted.
    return Way(serving, memory.tested)


def _target(tools: Tools, order: Order, way: Way) -> tuple[ModelPackage, Plan]:
    """Return where to go: to what served before, if it is approved still, or else to an older approved version."""
    if way.known and (package := _suitable(tools, order, way.known)):
        return package, Plan(way.known)
    # Of one that was deleted from the registry, the version is known still.
    arn = package_arn(tools.sagemaker, way.left)
    if arn is None:
        raise DeliveryError(
            f"the model package behind {way.left} is not known: choose one to deploy instead (--model-package VERSION)"
        )
    version = int(arn.rpartition("/")[2])
    older = (each for each in approved(tools.sagemaker, order.group) if each.version < version)
    package = next((each for each in older if not each.turned_down(order.stage)), None)
    if package is None:
        raise DeliveryError(
            f"there is nothing to return to from {order.group}/{version}: "
            f"no earlier version of {order.group} is Approved and not rejected for {order.stage}"
        )
    return package, make_plan(package, order)


def _suitable(tools: Tools, order: Order, config: str) -> ModelPackage | None:
    """Return the package behind a config, if there is one that may be deployed still."""
    package = package_of(tools.sagemaker, config)
    return package if package and package.approval == APPROVED and not package.turned_down(order.stage) else None
