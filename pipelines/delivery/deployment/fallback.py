"""Back to what served before, when a version has failed its test: released, compared and tested like any other."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import ClientError

from pipelines.delivery.aws_errors import explain
from pipelines.delivery.deployment.endpoint import IN_SERVICE, State, look
from pipelines.delivery.deployment.endpoint_test import check_testable
from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.plan import Plan
from pipelines.delivery.deployment.release import delete_endpoint, release
from pipelines.delivery.deployment.report import Report
from pipelines.delivery.deployment.result import Outcome, Serving
from pipelines.delivery.deployment.rivals import RivalError, make_rival_error
from pipelines.delivery.deployment.rows import read_rows
from pipelines.delivery.deployment.serving import package_of
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.deployment.trial import make_trial
from pipelines.delivery.errors import ContactError, DeliveryError, FollowingTimeoutError, InterruptionError

# The statuses of an endpoint that answers nobody.
_SILENT = frozenset({"Creating", "Deleting", "Failed", "OutOfService"})


@dataclass(frozen=True)
class Fallback:
    """How the way back ended, what serves now, and how it was tested."""

    outcome: Outcome
    said: str
    serving: Serving | None = None
    test: Report | None = None


def fall_back(tools: Tools, order: Order, target: str | None, failed: str) -> Fallback:
    """Return the endpoint to a config; with none to return to, the failed one is taken off by deleting the endpoint.

    A config that passed its test before is left where it is, for what fails now is rather the moment than the model.
    """
    if target == failed:
        return _stay(tools, order, failed)
    try:
        return _go_back(tools, order, target, failed)
    except RivalError as error:
        return _stuck(tools, order, str(error))
    except (InterruptionError, FollowingTimeoutError, ContactError):
        raise
    except (ClientError, DeliveryError) as error:
        return _stuck(tools, order, f"the way back failed as well: {(explain(error) or str(error)).rstrip('.')}")


def _stay(tools: Tools, order: Order, config: str) -> Fallback:
    state = look(tools, order.endpoint)
    if not (state and state.serves(config)):
        return _stuck(tools, order, "it passed before, but does not start again")
    serving = Serving(config, package_of(tools.sagemaker, config))
    return Fallback("failed", "it passed before, so it still serves; --rollback takes it out", serving)


def _go_back(tools: Tools, order: Order, target: str | None, failed: str) -> Fallback:
    if target is None:
        _check_own(tools, order, failed)
        delete_endpoint(tools, order.endpoint)
        return Fallback("removed", "nothing served before it, so the endpoint was deleted")
    tools.journal.say(f"rolling back to {target}")
    released = release(tools, order, Plan(target), None, lambda: _check_own(tools, order, failed))
    if not (released.state and released.state.serves(target)):
        return _stuck(tools, order, f"the way back to {target} failed as well")
    return test_again(tools, order, released.state)


def test_again(tools: Tools, order: Order, state: State) -> Fallback:
    """Test the config that serves again, as well as its package allows."""
    config = str(state.config)
    serving = Serving(config, package_of(tools.sagemaker, config))
    try:
        report = _test(tools, order, serving, state)
    except RivalError as error:
        now = _serving(tools, look(tools, order.endpoint))
        return Fallback("rolled_back", f"{serving.name} served again; then {error}", now)
    except DeliveryError as error:
        tools.journal.say(f"{serving.name} serves again, untested: {error}")
        return Fallback("rolled_back", f"{serving.name} serves again, untested", serving)
    if report.unsuitable:
        return Fallback("rolled_back", f"{serving.name} serves again, untested", serving)
    if report.passed:
        return Fallback("rolled_back", f"{serving.name} serves again and passed its test", serving, report)
    return Fallback("failed", f"{serving.name} serves again, but fails its test too: {report.reason}", serving, report)


def _test(tools: Tools, order: Order, serving: Serving, state: State) -> Report:
    if serving.package is None:
        raise DeliveryError("its model package is not known")
    check_testable(serving.package, order.limits)
    rows = read_rows(tools.s3, serving.package, order.test_data)
    return make_trial(tools, order, serving.package, rows, state)


def _stuck(tools: Tools, order: Order, said: str) -> Fallback:
    """Say exactly what is there, for now a person must look at it."""
    state = look(tools, order.endpoint)
    if state is None:
        return Fallback("failed", f"{said}: there is no endpoint {order.endpoint} any more")
    serving = _serving(tools, state)
    what = f"{serving.name} serves" if serving else "nothing serves"
    return Fallback(
        "failed", f"{said}: {what}, the endpoint is {state.status} ({state.reason or 'no reason'})", serving
    )


def _serving(tools: Tools, state: State | None) -> Serving | None:
    if state is None or state.config is None or state.status in _SILENT:
        return None
    return Serving(state.config, package_of(tools.sagemaker, state.config))


def _check_own(tools: Tools, order: Order, failed: str) -> None:
    """Take back nothing but the failed config; what served before may serve again, whatever was decided since."""
    state = look(tools, order.endpoint)
    if state and state.status == IN_SERVICE and state.config != failed:
        raise make_rival_error(tools, order.endpoint, state)
