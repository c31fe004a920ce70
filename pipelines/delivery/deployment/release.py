"""A release: what a plan needs is made, the endpoint is created or updated, and waited for to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from botocore.exceptions import ClientError

from pipelines.delivery.deployment.alarms import await_silence, ensure_alarms
from pipelines.delivery.deployment.endpoint import FAILED, IN_SERVICE, State, look, settle
from pipelines.delivery.deployment.found import found
from pipelines.delivery.deployment.memory import Memory, memory_tags, read_memory, remember_fallback
from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.plan import VARIANT, Plan, tags_of
from pipelines.delivery.deployment.rivals import await_test
from pipelines.delivery.deployment.rows import Rows
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.errors import DeliveryError

Change = Literal["created", "updated", "unchanged"]

# What the service says when something is there already, or an update is in progress.
_CONFLICTS = frozenset({"ConflictException", "ResourceInUse", "ValidationException"})
_ROUNDS = 5


@dataclass(frozen=True)
class Release:
    """What became of the endpoint: how it changed, what it remembers and served before, and how it rests now."""

    change: Change
    memory: Memory
    before: str | None
    state: State | None = None


def release(
    tools: Tools, order: Order, plan: Plan, rows: Rows | None, check: Callable[[], None], *, awaits_tests: bool = False
) -> Release:
    """Bring the endpoint to the plan; what somebody else is doing to it is waited for and then looked at.

    The check is called right before the endpoint is changed, and refuses by raising. Another command's test of what
    serves is waited for if that is asked for.
    """
    for _ in range(_ROUNDS):
        seen = tools.patiently(lambda: look(tools, order.endpoint), order.endpoint)
        if seen and seen.is_moving:
            # Somebody else's gets no rows.
            read_memory(tools, seen.arn, order.endpoint)
            tools.journal.say(f"endpoint {order.endpoint} is {seen.status} by another command: waiting for its end")
        under_way = _is_under_way(seen, plan)
        state, memory = settle(tools, order.endpoint, rows), Memory()
        if state:
            memory = read_memory(tools, state.arn, order.endpoint)
        if state and state.serves(plan.config):
            _ensure_alarms(tools, order)
            return Release("unchanged", memory, plan.config, state)
        if under_way:
            # Another call wanted the same, and has failed with it by now.
            return Release("unchanged", memory, seen.config if seen else None, state)
        if awaits_tests and state and await_test(tools, order.endpoint, state, memory):
            continue
        if begun := _begin(tools, order, plan, state, memory, check):
            return replace(begun, state=settle(tools, order.endpoint, rows))
        tools.journal.say(f"endpoint {order.endpoint} was changed by somebody else at this moment: looking again")
    raise DeliveryError(f"endpoint {order.endpoint} is changed by somebody else all the time: try again later")


def delete_endpoint(tools: Tools, name: str) -> None:
    """Delete the endpoint and wait until it is gone; its configs and models stay."""
    tools.sagemaker.delete_endpoint(EndpointName=name)
    settle(tools, name)
    tools.journal.change(f"deleted endpoint {name}")


def _begin(
    tools: Tools, order: Order, plan: Plan, state: State | None, memory: Memory, check: Callable[[], None]
) -> Release | None:
    """Change the endpoint, and make what that needs; none where somebody else was faster."""
    try:
        _make(tools, plan)
        _ensure_alarms(tools, order)
        state = _without_failed(tools, order.endpoint, state)
        if state and plan.deployment:
            await_silence(tools, order.endpoint)
        check()
        if state:
            memory = remember_fallback(tools, state.arn, state.config, memory)
        _change(tools, order, plan, state, memory)
    except ClientError as error:
        if not (says_busy(error) or (plan.config_request and _says_removed(error))):
            raise
        return None
    return Release("updated" if state else "created", memory, state.config if state else None)


def _is_under_way(state: State | None, plan: Plan) -> bool:
    if state is None or not state.is_moving:
        return False
    return plan.config in {state.pending, state.config if state.status == "Creating" else None}


def _make(tools: Tools, plan: Plan) -> None:
    """Make the model and the config that are missing; an earlier call may have been cut off anywhere."""
    client: Any = tools.sagemaker
    if plan.model_request:
        name = plan.model_request["ModelName"]
        _create(tools, client.describe_model, client.create_model, {"ModelName": name}, plan.model_request)
    if plan.config_request:
        names = {"EndpointConfigName": plan.config}
        create = client.create_endpoint_config
        _create(tools, client.describe_endpoint_config, create, names, plan.config_request)


def _create(
    tools: Tools,
    describe: Callable[..., Any],
    create: Callable[..., Any],
    name: dict[str, str],
    request: Any,
) -> None:
    if found(describe, **name):
        return
    try:
        create(**request)
    except ClientError as error:
        if error.response["Error"].get("Code") not in _CONFLICTS or not found(describe, **name):
            raise
        return
    kind = "model" if "ModelName" in name else "endpoint config"
    tools.journal.change(f"made {kind} {next(iter(name.values()))}")


def _without_failed(tools: Tools, name: str, state: State | None) -> State | None:
    """Return the endpoint, of which a failed one is deleted: no update can mend it."""
    if state is None or state.status == IN_SERVICE:
        return state
    if state.status != FAILED:
        raise DeliveryError(
            f"endpoint {name} is {state.status} ({state.reason or 'the service gives no reason'}), which no update "
            f"can mend: look at it, or remove it with --teardown"
        )
    tools.journal.say(f"endpoint {name} has failed ({state.reason or 'no reason given'}): it is deleted and made anew")
    delete_endpoint(tools, name)
    return None


def _change(tools: Tools, order: Order, plan: Plan, state: State | None, memory: Memory) -> None:
    client: Any = tools.sagemaker
    names = {"EndpointName": order.endpoint, "EndpointConfigName": plan.config}
    if state is None:
        # Here, too, so that a failed one that is made anew forgets nothing.
        client.create_endpoint(**names, Tags=[*tags_of(order), *memory_tags(memory)])
    else:
        client.update_endpoint(**names, **({"DeploymentConfig": plan.deployment} if plan.deployment else {}))
    way = f", {plan.way}" if state and plan.deployment else ""
    verb = "updating" if state else "creating"
    tools.journal.change(f"{verb} endpoint {order.endpoint}: {plan.config}{way}")


def _says_removed(error: ClientError) -> bool:
    """Say whether something is gone that was there a moment ago, as it happens during a teardown."""
    message = error.response["Error"].get("Message", "").lower()
    return error.response["Error"].get("Code") in _CONFLICTS and "could not find" in message


def _ensure_alarms(tools: Tools, order: Order) -> None:
    if order.canary:
        ensure_alarms(tools, order, VARIANT)


def says_busy(error: ClientError) -> bool:
    """Say whether the service refuses since somebody else is at work on the endpoint, or was faster."""
    message = error.response["Error"].get("Message", "").lower()
    words = ("in-progress", "in progress", "already exist", "not in a state", "cannot update")
    return error.response["Error"].get("Code") in _CONFLICTS and any(each in message for each in words)
