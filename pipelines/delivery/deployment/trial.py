"""A trial: the test of an endpoint, which counts only if nobody changed the endpoint while it went on."""

from __future__ import annotations

from botocore.exceptions import ClientError

from pipelines.delivery.deployment.endpoint import State
from pipelines.delivery.deployment.endpoint_test import examine
from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.report import Report
from pipelines.delivery.deployment.rivals import check_serves
from pipelines.delivery.deployment.rows import Rows
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.packages import ModelPackage

_TRIALS = 3


def make_trial(tools: Tools, order: Order, package: ModelPackage, rows: Rows, state: State) -> Report:
    """Test what the endpoint serves; again where it was changed meanwhile and serves the same.

    Raises:
        RivalError: another command lets it serve something else by now.
    """
    name, config = order.endpoint, str(state.config)
    for _ in range(_TRIALS):
        try:
            report = examine(tools, name, config, package, rows, order.limits)
        except ClientError:
            check_serves(tools, name, config)
            raise
        now = check_serves(tools, name, config)
        if now.modified == state.modified:
            return report
        tools.journal.say(f"endpoint {name} was changed during its test, and serves {config}: testing again")
        state = now
    raise DeliveryError(f"endpoint {name} was changed during each of {_TRIALS} tests: try again later")
