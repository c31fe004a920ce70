"""What an endpoint remembers in its tags: which config passed its test last, and which one did before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pipelines.delivery.deployment.plan import ENDPOINT_TAG
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.errors import DeliveryError

_TESTED, _PREVIOUS, _LEFT = "deploy-model:tested", "deploy-model:previous", "deploy-model:left"


@dataclass(frozen=True)
class Memory:
    """Names of endpoint configs: the one to fall back to, the one to return to, and the one that a rollback leaves.

    Until a config has passed its test, the one that served before it is the one to fall back to. While a rollback is
    under way, the one that it leaves is still the one to fall back to.
    """

    tested: str | None = None
    previous: str | None = None
    left: str | None = None

    def passed(self, config: str) -> Memory:
        """Return the memory after a config has passed its test."""
        return self if config == self.tested else Memory(config, self.tested)

    def returned(self, config: str, left: str) -> Memory:
        """Return the memory after a return to an earlier config, from which there is no further one."""
        return Memory(config, None, left)


def read_memory(tools: Tools, arn: str, name: str) -> Memory:
    """Return what the endpoint remembers; refuse one that deploy-model did not make."""
    tags = tags_of_resource(tools, arn)
    if tags.get(ENDPOINT_TAG) != name:
        raise DeliveryError(
            f"endpoint {name} was not made by deploy-model (it has no tag {ENDPOINT_TAG}={name}): "
            "give another --endpoint-name"
        )
    return Memory(tags.get(_TESTED), tags.get(_PREVIOUS), tags.get(_LEFT))


def write_memory(tools: Tools, arn: str, memory: Memory, before: Memory) -> None:
    """Bring the endpoint's tags to what it is to remember; what is the same already costs nothing."""
    if memory == before:
        return
    wanted = {_TESTED: memory.tested, _PREVIOUS: memory.previous, _LEFT: memory.left}
    known = {_TESTED: before.tested, _PREVIOUS: before.previous, _LEFT: before.left}
    tags: list[Any] = [{"Key": key, "Value": value} for key, value in wanted.items() if value and value != known[key]]
    if tags:
        tools.sagemaker.add_tags(ResourceArn=arn, Tags=tags)
    if gone := [key for key, value in wanted.items() if known[key] and not value]:
        tools.sagemaker.delete_tags(ResourceArn=arn, TagKeys=gone)


def remember_fallback(tools: Tools, arn: str, serving: str | None, before: Memory) -> Memory:
    """Keep the config that serves as the one to fall back to, where none has passed a test yet."""
    memory = before if before.tested or not serving else replace(before, tested=serving)
    write_memory(tools, arn, memory, before)
    return memory


def memory_tags(memory: Memory) -> list[dict[str, str]]:
    """Return the tags of an endpoint that is made anew and is to remember the same."""
    known = {_TESTED: memory.tested, _PREVIOUS: memory.previous, _LEFT: memory.left}
    return [{"Key": key, "Value": value} for key, value in known.items() if value]


def tags_of_resource(tools: Tools, arn: str) -> dict[str, str]:
    """Return the tags of a resource."""
    pages = tools.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
