"""deploy-model --teardown: the endpoint of a stage and all that was made for it are removed, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from pipelines.delivery.deployment.alarms import find_alarms
from pipelines.delivery.deployment.endpoint import look, settle
from pipelines.delivery.deployment.found import found, is_absent
from pipelines.delivery.deployment.memory import read_memory, tags_of_resource
from pipelines.delivery.deployment.names import LONGEST
from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.plan import ENDPOINT_TAG, STAGE_TAG
from pipelines.delivery.deployment.release import delete_endpoint, says_busy
from pipelines.delivery.deployment.result import Result
from pipelines.delivery.deployment.rivals import make_rival_error
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.errors import DeliveryError

# The longest end of a name: `-production-v<9 digits>-<hash>`, before which a long group is cut.
_LONGEST_END = 30
_ROUNDS = 5


def tear_down(tools: Tools, order: Order) -> Result:
    """Remove endpoint, alarms, endpoint configs and models of a stage; what is gone already is no mistake.

    What another command makes meanwhile stays.

    Raises:
        RivalError: there is an endpoint again, for another command made it anew.
    """
    client: Any = tools.sagemaker
    configs = list(_owned(tools, order, "list_endpoint_configs", "EndpointConfig"))
    models = list(_owned(tools, order, "list_models", "Model"))
    _delete_endpoint(tools, order.endpoint)
    if look(tools, order.endpoint) is None:
        _delete_alarms(tools, order.endpoint)
    for name in _free(tools, order, "endpoint config", configs):
        client.delete_endpoint_config(EndpointConfigName=name)
        tools.journal.change(f"deleted endpoint config {name}")
    for name in _free(tools, order, "model", models):
        client.delete_model(ModelName=name)
        tools.journal.change(f"deleted model {name}")
    if state := look(tools, order.endpoint):
        raise make_rival_error(tools, order.endpoint, state)
    removed = tuple(tools.journal.changes)
    count = f"{len(removed)} resource{'' if len(removed) == 1 else 's'}"
    return Result(
        action="teardown",
        outcome="torn_down",
        reason=f"endpoint {order.endpoint}: {f'removed {count}' if removed else 'there was nothing to remove'}",
        order=order,
        changes=removed,
        seconds=tools.journal.seconds,
    )


def _delete_endpoint(tools: Tools, name: str) -> None:
    for _ in range(_ROUNDS):
        state = settle(tools, name)
        if state is None:
            return
        read_memory(tools, state.arn, name)
        try:
            delete_endpoint(tools, name)
        except ClientError as error:
            if not (says_busy(error) or is_absent(error)):
                raise
            tools.journal.say(f"endpoint {name} was changed by somebody else at this moment: looking again")
        else:
            return
    raise DeliveryError(f"endpoint {name} is changed by somebody else all the time: try again later")


def _delete_alarms(tools: Tools, endpoint: str) -> None:
    names = [alarm["AlarmName"] for alarm in find_alarms(tools, endpoint)]
    if names:
        tools.cloudwatch.delete_alarms(AlarmNames=names)
    for name in names:
        tools.journal.change(f"deleted alarm {name}")


def _free(tools: Tools, order: Order, kind: str, names: Sequence[str]) -> Iterator[str]:
    """Yield what an endpoint that another command made meanwhile is not made of, each looked at in its turn."""
    for name in names:
        if name in _in_use(tools, order.endpoint):
            tools.journal.say(f"{kind} {name} stays: another command made endpoint {order.endpoint} of it meanwhile")
        else:
            yield name


def _in_use(tools: Tools, endpoint: str) -> set[str]:
    """Return the names of the configs and models that the endpoint which there is now is made of."""
    state = look(tools, endpoint)
    configs = {name for name in (state.config, state.pending) if name} if state else set()
    describe = tools.sagemaker.describe_endpoint_config
    described = (found(describe, EndpointConfigName=name) or {} for name in configs)
    models = {variant["ModelName"] for config in described for variant in config.get("ProductionVariants", ())}
    return configs | models


def _owned(tools: Tools, order: Order, operation: str, kind: str) -> Iterator[str]:
    """Yield the names of what carries the tags of this endpoint and stage."""
    wanted = {ENDPOINT_TAG: order.endpoint, STAGE_TAG: order.stage}.items()
    paginator: Any = tools.sagemaker.get_paginator(operation)  # type: ignore[call-overload]
    for page in paginator.paginate(NameContains=order.group[: LONGEST - _LONGEST_END].rstrip("-")):
        for entry in page[f"{kind}s"]:
            if wanted <= tags_of_resource(tools, entry[f"{kind}Arn"]).items():
                yield entry[f"{kind}Name"]
