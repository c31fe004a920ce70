"""The service authorization reference: what each action is about, and what conditions may ask of it.

From the copy of https://docs.aws.amazon.com/service-authorization/ that policy_sentry has with it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from policy_sentry.shared.iam_data import get_service_prefix_data

from tests.iam.evaluator import matches

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}|<\w+>")
# What has parts of its own, such as a version behind the name of a group; the other names have no slash.
_WITH_SLASHES = {
    "ApiDestinationName",
    "LogGroupName",
    "LogStreamName",
    "ModelPackageName",
    "ObjectName",
    "RepositoryName",
    "RoleNameWithPath",
    "SecretId",
}


@dataclass(frozen=True)
class ResourceType:
    """A kind of resource that an action is about: its ARN, with placeholders, and the keys that it has values for."""

    name: str
    arn: str
    is_required: bool
    keys: frozenset[str]
    dependents: frozenset[str]

    def has(self, pattern: str) -> bool:
        """Return whether an ARN is one of this kind, or a pattern takes one."""
        return _overlap(pattern, self._shape)

    @property
    def precision(self) -> int:
        """How much of the ARN is not a name."""
        return len(_PLACEHOLDER.sub("", self.arn))

    @property
    def _shape(self) -> str:
        return _PLACEHOLDER.sub(lambda name: "*" if name[1] in _WITH_SLASHES else "+", self.arn)


@dataclass(frozen=True)
class Action:
    """An action: the kinds of resources that it is about, and the keys that it has values for whatever they are."""

    name: str
    level: str
    types: Mapping[str, ResourceType]
    keys: frozenset[str]

    def type_of(self, arn: str) -> ResourceType | None:
        """Return the kind of a resource, unless the action is about none such."""
        found = [kind for kind in self.types.values() if kind.has(arn)]
        return max(found, key=lambda kind: kind.precision, default=None)

    @property
    def changes(self) -> bool:
        """Whether it is more than a look."""
        return self.level not in {"List", "Read"}

    @property
    def required(self) -> set[str]:
        """The kinds of which a request must name one."""
        return {name for name, kind in self.types.items() if kind.is_required}


@cache
def action(name: str) -> Action:
    """Return an action by its name, such as s3:GetObject."""
    service, _, short = name.partition(":")
    data: Any = get_service_prefix_data(service)
    if not data or short not in data["privileges"]:
        raise ValueError(f"{name}: no such action")
    entries = data["privileges"][short]["resource_types"]
    types = {kind: _type(kind, entry, data["resources"][kind]) for kind, entry in entries.items() if kind}
    return Action(
        name, data["privileges"][short]["access_level"], types, frozenset(entries.get("", {}).get("condition_keys", ()))
    )


def named(pattern: str) -> Iterator[Action]:
    """Return all actions that a policy's pattern names; none is refused."""
    service, _, short = pattern.partition(":")
    data: Any = get_service_prefix_data(service) or {"privileges": {}}
    found = [name for name in data["privileges"] if matches(short.lower(), name.lower())]
    if not found:
        raise ValueError(f"{pattern}: no such action")
    return (action(f"{service}:{name}") for name in found)


def is_key(asked: str, known: str) -> bool:
    """Return whether a policy's key is a known one, which has a placeholder where names of others stand."""
    parts = map(re.escape, _PLACEHOLDER.sub("\n", known).split("\n"))
    return re.fullmatch(".+".join(parts), asked, re.IGNORECASE) is not None


def _type(name: str, entry: Mapping[str, Any], resource: Mapping[str, Any]) -> ResourceType:
    # Where the reference says nothing of an action's own, what holds for the resource does.
    keys = entry["condition_keys"] or resource["condition_keys"]
    return ResourceType(
        name, resource["arn"], entry["required"], frozenset(keys), frozenset(entry["dependent_actions"])
    )


@cache
def _overlap(pattern: str, shape: str) -> bool:
    """Return whether some ARN is like both: `*` stands for anything in both, and `+` for anything but slashes."""
    if not pattern or not shape:
        return not (pattern + shape).strip("*+")
    if pattern[0] == "*":
        return _overlap(pattern[1:], shape) or _overlap(pattern, shape[1:])
    if shape[0] in "*+":
        is_taken = shape[0] == "*" or pattern[0] != "/"
        return _overlap(pattern, shape[1:]) or (is_taken and _overlap(pattern[1:], shape))
    return pattern[0] == shape[0] and _overlap(pattern[1:], shape[1:])
