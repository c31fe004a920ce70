"""deploy-model --teardown: the endpoint of a stage and all that was made for it are removed, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.delivery.deployment.alarms import find_alarms
from pipelines.delivery.deployment.endpoint import settle
from pipelines.delivery.deployment.memory import read_memory, tags_of_resource
from pipelines.delivery.deployment.names import LONGEST
from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.plan import ENDPOINT_TAG, STAGE_TAG
from pipelines.delivery.deployment.release import delete_endpoint
from pipelines.delivery.deployment.result import Result
from pipelines.delivery.deployment.tools import Tools

# The longest end of a name: `-production-v<9 digits>-<hash>`, before which a long group is cut.
_LONGEST_END = 30


def tear_down(tools: Tools, order: Order) -> Result:
    """Remove endpoint, alarms, endpoint configs and models of a stage; what is gone already is no mistake."""
    if state := settle(tools, order.endpoint):
        read_memory(tools, state.arn, order.endpoint)
        delete_endpoint(tools, order.endpoint)
    _delete_alarms(tools, order.endpoint)
    client: Any = tools.sagemaker
    for name in list(_owned(tools, order, "list_endpoint_configs", "EndpointConfig")):
        client.delete_endpoint_config(EndpointConfigName=name)
        tools.journal.change(f"deleted endpoint config {name}")
    for name in list(_owned(tools, order, "list_models", "Model")):
        client.delete_model(ModelName=name)
        tools.journal.change(f"deleted model {name}")
    removed = tuple(tools.journal.changes)
    what = f"removed {len(removed)} resources" if removed else "there was nothing to remove"
    return Result(
        action="teardown",
        outcome="torn_down",
        reason=f"endpoint {order.endpoint}: {what}",
        order=order,
        changes=removed,
        seconds=tools.journal.seconds,
    )


def _delete_alarms(tools: Tools, endpoint: str) -> None:
    names = [alarm["AlarmName"] for alarm in find_alarms(tools, endpoint)]
    if names:
        tools.cloudwatch.delete_alarms(AlarmNames=names)
    for name in names:
        tools.journal.change(f"deleted alarm {name}")


def _owned(tools: Tools, order: Order, operation: str, kind: str) -> Iterator[str]:
    """Yield the names of what carries the tags of this endpoint and stage."""
    wanted = {ENDPOINT_TAG: order.endpoint, STAGE_TAG: order.stage}.items()
    paginator: Any = tools.sagemaker.get_paginator(operation)  # type: ignore[call-overload]
    for page in paginator.paginate(NameContains=order.group[: LONGEST - _LONGEST_END].rstrip("-")):
        for entry in page[f"{kind}s"]:
            if wanted <= tags_of_resource(tools, entry[f"{kind}Arn"]).items():
                yield entry[f"{kind}Name"]
