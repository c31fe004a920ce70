"""IAM's decision about a request, as far as the documented policies need it; whatever else is refused, not guessed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

Policy = Mapping[str, Any]

MEMBERS = {"Effect", "Action", "Resource", "Condition", "Principal", "Sid"}


@dataclass(frozen=True)
class Request:
    """An action on a resource; the context has what conditions may ask for."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} {dict(self.context) or ''}".strip()


def allows(policy: Policy, request: Request) -> bool:
    """Return whether a statement allows the request and none denies it."""
    effects = {statement["Effect"] for statement in policy["Statement"] if _is_about(statement, request)}
    return effects == {"Allow"}


def actions(policy: Policy) -> set[str]:
    """Return all actions that a policy names."""
    return {action for statement in policy["Statement"] for action in _listed(statement["Action"])}


def _is_about(statement: Mapping[str, Any], request: Request) -> bool:
    if unknown := set(statement) - MEMBERS:
        raise ValueError(f"the evaluator knows no {unknown}")
    return (
        request.action in _listed(statement["Action"])
        # Only a trust policy has none: its resource is the role that it belongs to.
        and any(fnmatchcase(request.resource, pattern) for pattern in _listed(statement.get("Resource", "*")))
        and all(
            _holds(operator, key, _listed(wanted), request.context)
            for operator, wishes in statement.get("Condition", {}).items()
            for key, wanted in wishes.items()
        )
    )


def _holds(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    # Keys have no case, values have.
    value = {name.lower(): text for name, text in context.items()}.get(key.lower())
    if operator == "Null":
        return [str(value is None).lower()] == wanted
    if operator == "StringEquals":
        return value in wanted
    raise ValueError(f"the evaluator knows no {operator}")


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
