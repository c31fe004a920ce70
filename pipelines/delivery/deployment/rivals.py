"""Other commands at the same endpoint: one that tests is waited for, and one that was faster is told of.

The service has no lock that outlives nobody: what a tag says can be raced, and stays when a command is killed. So what
a command did is compared with what there is, before each word on it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pipelines.delivery.deployment.endpoint import IN_SERVICE, State, look
from pipelines.delivery.deployment.found import found
from pipelines.delivery.deployment.memory import Memory, read_memory
from pipelines.delivery.deployment.plan import Plan
from pipelines.delivery.deployment.result import Serving
from pipelines.delivery.deployment.serving import package_of
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.errors import DeliveryError

# For so long a config that has passed no test is taken for one that another command tests.
TEST_SECONDS = 60.0


class RivalError(DeliveryError):
    """Another command changed the endpoint, so that there is no verdict on what this one did."""


def make_rival_error(tools: Tools, name: str, state: State | None) -> RivalError:
    """Say what became of the endpoint instead."""
    return RivalError(f"another command changed endpoint {name} meanwhile: {_now(tools, state)}; run again")


def check_serves(tools: Tools, name: str, config: str) -> State:
    """Return the endpoint, which serves the config still.

    Raises:
        RivalError: it does not.
    """
    state = tools.patiently(lambda: look(tools, name), name)
    if state is None or not state.serves(config):
        raise make_rival_error(tools, name, state)
    return state


def check_turned_back(tools: Tools, name: str, plan: Plan, state: State | None, before: str | None) -> None:
    """Refuse to judge a release that did not end well, unless it was the service that ended it.

    Raises:
        RivalError: another command replaced it, or removed what it is made of.
    """
    if state and state.status == IN_SERVICE:
        is_of_service = state.config == before and state.was_turned_back
    else:
        is_of_service = state is not None and state.config in {plan.config, before}
    if not is_of_service:
        raise make_rival_error(tools, name, state)
    if missing := _missing(tools, plan):
        raise RivalError(f"another command removed {missing} meanwhile, which endpoint {name} needs; run again")


def await_test(tools: Tools, name: str, state: State, memory: Memory) -> bool:
    """Wait while what serves may be under test by another command; say whether anything has happened.

    It has passed no test, and began to serve a moment ago.
    """
    began, age = tools.clock(), (datetime.now(UTC) - state.modified).total_seconds()
    # By two clocks, of which one may be wrong.
    longest = min(TEST_SECONDS, TEST_SECONDS - age)
    if state.status != IN_SERVICE or state.config == memory.tested or longest <= 0:
        return False
    tools.journal.say(
        f"{state.config} serves at endpoint {name} and has not passed its test yet, which another command may be "
        f"at: waiting for that, {longest:.0f} seconds at most"
    )
    for pause in tools.pauses():
        tools.attention.pause(pause, name)
        now = tools.patiently(lambda: look(tools, name), name)
        if now is None or (now.config, now.modified) != (state.config, state.modified):
            return True
        if read_memory(tools, now.arn, name).tested == now.config:
            return True
        if tools.clock() - began > longest:
            break
    return False


def _now(tools: Tools, state: State | None) -> str:
    if state is None:
        return "it is gone"
    if state.is_moving or state.status != IN_SERVICE or not state.config:
        return f"it is {state.status}{f' to {state.pending}' if state.pending else ''}"
    return f"it serves {Serving(state.config, package_of(tools.sagemaker, state.config)).name}"


def _missing(tools: Tools, plan: Plan) -> str | None:
    """Return what was made for the plan and is there no more."""
    client = tools.sagemaker
    if not found(client.describe_endpoint_config, EndpointConfigName=plan.config):
        return f"endpoint config {plan.config}"
    model = plan.model_request.get("ModelName")
    return f"model {model}" if model and not found(client.describe_model, ModelName=model) else None
