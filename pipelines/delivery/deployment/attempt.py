"""An attempt to let a package serve: what serves is compared with what was wanted, tested, and kept or taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipelines.delivery.deployment.alarms import find_alarms, restore_alarms
from pipelines.delivery.deployment.endpoint import IN_SERVICE
from pipelines.delivery.deployment.fallback import Fallback, fall_back, test_again
from pipelines.delivery.deployment.marks import mark_deployed, mark_rolled_back
from pipelines.delivery.deployment.memory import Memory, read_memory, write_memory
from pipelines.delivery.deployment.order import Order, check_approved
from pipelines.delivery.deployment.plan import Plan
from pipelines.delivery.deployment.release import Release, release
from pipelines.delivery.deployment.report import Report
from pipelines.delivery.deployment.requests import example
from pipelines.delivery.deployment.result import Outcome, Result, Serving
from pipelines.delivery.deployment.rivals import check_turned_back
from pipelines.delivery.deployment.rows import Rows
from pipelines.delivery.deployment.serving import package_of
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.deployment.trial import make_trial
from pipelines.delivery.packages import ModelPackage, describe


@dataclass(frozen=True)
class Attempt:
    """A package and the plan to let it serve; left is the config that a rollback returns from, else none."""

    tools: Tools
    order: Order
    package: ModelPackage
    plan: Plan
    rows: Rows
    left: str | None = None


def make_attempt(attempt: Attempt) -> Result:
    """Release the plan, and see what came of it.

    Raises:
        RivalError: another command changed the endpoint meanwhile.
    """
    tools, order = attempt.tools, attempt.order
    alarms = find_alarms(tools, order.endpoint) if order.canary else []
    released = release(
        tools, order, attempt.plan, attempt.rows, lambda: _check_again(attempt), awaits_tests=attempt.left is None
    )
    result = _judge(attempt, released)
    if result.exit_code and alarms:
        restore_alarms(tools, order.endpoint, alarms)
    return replace(result, changes=tuple(tools.journal.changes), seconds=tools.journal.seconds)


def _judge(attempt: Attempt, released: Release) -> Result:
    tools, order, plan, state = attempt.tools, attempt.order, attempt.plan, released.state
    if not (state and state.serves(plan.config)):
        check_turned_back(tools, order.endpoint, plan, state, released.before)
        return _turned_back(attempt, released)
    if released.change == "unchanged":
        tools.journal.say(f"endpoint {order.endpoint} already serves {plan.config}: there is only its test to do")
    report = make_trial(tools, order, attempt.package, attempt.rows, state)
    tools.journal.say(f"test of {plan.config}: {'passed' if report.passed else report.unsuitable or report.reason}")
    # Another command may have tested what served before only while this one was at its own release.
    memory = read_memory(tools, state.arn, order.endpoint)
    return _keep(attempt, released, memory, report) if report.passed else _take_back(attempt, memory, report)


def _check_again(attempt: Attempt) -> None:
    """Look at the package again, for whoever approved it may have thought better of it meanwhile."""
    check_approved(describe(attempt.tools.sagemaker, attempt.package.arn), attempt.order)


def _keep(attempt: Attempt, released: Release, before: Memory, report: Report) -> Result:
    tools, order, config = attempt.tools, attempt.order, attempt.plan.config
    after = _after(attempt, before)
    assert released.state
    write_memory(tools, released.state.arn, after, before)
    mark_deployed(tools, attempt.package, order, report)
    if attempt.left and after != before and (taken_out := package_of(tools.sagemaker, attempt.left)):
        mark_rolled_back(tools, taken_out, order, f"returned to {attempt.package.name}")
    is_new = released.change != "unchanged" or after != before
    outcome: Outcome = "unchanged" if not is_new else "returned" if attempt.left else "deployed"
    verb = "serves" if is_new else "already serves"
    return Result(
        action="rollback" if attempt.left else "deploy",
        outcome=outcome,
        reason=f"{attempt.package.name} {verb} at endpoint {order.endpoint} and passed its test",
        order=order,
        package=attempt.package,
        config=config,
        serving=Serving(config, attempt.package),
        test=report,
        url=tools.site.endpoint_url(order.endpoint) if tools.site.endpoint_url else None,
        example=example(attempt.rows),
    )


def _after(attempt: Attempt, before: Memory) -> Memory:
    config = attempt.plan.config
    return before.returned(config, attempt.left) if attempt.left else before.passed(config)


def _take_back(attempt: Attempt, memory: Memory, report: Report) -> Result:
    tested = memory.tested
    if tested != attempt.plan.config and not report.unsuitable:
        # Before the way back, which may be interrupted.
        mark_rolled_back(attempt.tools, attempt.package, attempt.order, report.reason)
    way_back = fall_back(attempt.tools, attempt.order, tested, attempt.plan.config)
    return _fallen(attempt, way_back, report.unsuitable or report.reason, report)


def _turned_back(attempt: Attempt, released: Release) -> Result:
    """Tell that the service did not get there: it rolled an update back, or could not start a new endpoint."""
    tools, order, package, state = attempt.tools, attempt.order, attempt.package, released.state
    why = (state.reason if state else None) or "the service gives no reason"
    mark_rolled_back(tools, package, order, why)
    if state and state.status == IN_SERVICE:
        tools.journal.say(f"the service rolled {package.name} back: {why}")
        return _fallen(attempt, test_again(tools, order, state), why)
    tools.journal.say(f"endpoint {order.endpoint} is {state.status if state else 'gone'}: {why}")
    return _fallen(attempt, fall_back(tools, order, released.memory.tested, attempt.plan.config), why)


def _fallen(attempt: Attempt, way_back: Fallback, why: str, report: Report | None = None) -> Result:
    verdict = "was not judged" if report and report.unsuitable else "did not pass"
    return Result(
        action="rollback" if attempt.left else "deploy",
        outcome=way_back.outcome,
        reason=f"{attempt.package.name} {verdict}: {why.rstrip('.')}; {way_back.said}",
        order=attempt.order,
        package=attempt.package,
        config=attempt.plan.config,
        serving=way_back.serving,
        test=report,
        fallback_test=way_back.test,
        logs=attempt.tools.site.places.endpoint_logs(attempt.order.endpoint),
    )
