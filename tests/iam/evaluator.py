"""IAM's decision about a request, by the policy of a role, its boundary and its trust; what is unknown is refused.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Policy = Mapping[str, Any]
Statement = Mapping[str, Any]

MEMBERS = {
    "Action",
    "Condition",
    "Effect",
    "NotAction",
    "NotResource",
    "Principal",
    "Resource",
    "Sid",
}
ARN_PARTS = 6


@dataclass(frozen=True)
class Request:
    """An action on a resource; the context has what conditions may ask for, one value or several for each key."""

    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} {dict(self.context) or ''}".strip()

    def values(self, key: str) -> list[str]:
        """Return the values of a context key, whose name has no case; none where the key is absent."""
        found = (_listed(value) for name, value in self.context.items() if name.lower() == key.lower())
        return next(found, [])


def allows(policy: Policy, request: Request, *, boundary: Policy | None = None) -> bool:
    """Return whether a statement allows the request, the boundary does too, and nothing denies it."""
    limits = [policy] if boundary is None else [policy, boundary]
    return all(_effects(limit, request) == {"Allow"} for limit in limits)


def together(policies: Iterable[Policy]) -> Policy:
    """Return one policy with the statements of several, as those of a role count."""
    return {"Statement": [statement for policy in policies for statement in _statements(policy)]}


def trusts(policy: Policy, principal: tuple[str, str], request: Request) -> bool:
    """Return whether a trust policy lets a principal, such as ("Service", "sagemaker.amazonaws.com"), have the role."""
    kind, name = principal
    known = [each for each in _statements(policy) if _matches_any(_principals(each, kind), name)]
    return _effects({"Statement": known}, request) == {"Allow"}


def actions(policy: Policy) -> set[str]:
    """Return all actions that the statements of a policy allow by name."""
    allowed = (each for each in _statements(policy) if each["Effect"] == "Allow")
    return {action for statement in allowed for action in _listed(statement["Action"])}


def matches(pattern: str, text: str) -> bool:
    """Return whether a text is one that a pattern with `*` and `?` stands for."""
    return bool(_compiled(pattern).fullmatch(text))


def _effects(policy: Policy, request: Request) -> set[str]:
    """Return the effects of all statements about a request: only {"Allow"} allows it."""
    return {statement["Effect"] for statement in _statements(policy) if _is_about(statement, request)}


def _statements(policy: Policy) -> list[Statement]:
    found = policy["Statement"]
    statements = [found] if isinstance(found, Mapping) else list(found)
    for statement in statements:
        if unknown := set(statement) - MEMBERS:
            raise ValueError(f"the evaluator knows no {sorted(unknown)}")
    return statements


def _is_about(statement: Statement, request: Request) -> bool:
    return (
        # Actions have no case.
        _is_meant(statement, "Action", request.action, str.lower)
        and _is_meant(statement, "Resource", request.resource, str)
        and all(
            _holds(operator, request.values(key), _listed(wanted))
            for operator, wishes in statement.get("Condition", {}).items()
            for key, wanted in wishes.items()
        )
    )


def _is_meant(statement: Statement, member: str, text: str, form: Callable[[str], str]) -> bool:
    if member in statement:
        return _matches_any([form(each) for each in _listed(statement[member])], form(text))
    if f"Not{member}" in statement:
        return not _matches_any([form(each) for each in _listed(statement[f"Not{member}"])], form(text))
    # Only a trust policy names no resource: that is the role that it belongs to.
    return member == "Resource" and "Principal" in statement


def _holds(operator: str, values: list[str], wanted: list[str]) -> bool:
    if operator == "Null":
        return [str(not values).lower()] == wanted
    quantifier, _, name = operator.rpartition(":")
    compare = _operator(name.removesuffix("IfExists"))
    if not values and quantifier != "ForAnyValue":
        # All of no values are as wished; a single one that is absent is so only where it need not be there.
        return quantifier == "ForAllValues" or name.endswith("IfExists")
    found = [any(compare(each, value) for each in wanted) for value in values]
    if quantifier == "ForAnyValue":
        return any(found)
    if quantifier in {"", "ForAllValues"}:
        return all(found)
    raise ValueError(f"the evaluator knows no {operator}")


def _operator(name: str) -> Callable[[str, str], bool]:
    known: dict[str, Callable[[str, str], bool]] = {
        "ArnEquals": _matches_arn,
        "ArnLike": _matches_arn,
        "Bool": lambda wanted, value: wanted.lower() == value.lower(),
        "StringEquals": str.__eq__,
        "StringLike": matches,
    }
    if name not in known:
        raise ValueError(f"the evaluator knows no {name}")
    return known[name]


def _matches_arn(pattern: str, arn: str) -> bool:
    """Compare part by part: a `*` of one part does not reach into the next."""
    wanted, parts = (each.split(":", ARN_PARTS - 1) for each in (pattern, arn))
    return len(wanted) == len(parts) and all(map(matches, wanted, parts))


def _principals(statement: Statement, kind: str) -> list[str]:
    named = statement.get("Principal", {})
    return _listed(named) if isinstance(named, str) else _listed(named.get(kind, []))


def _matches_any(patterns: Iterable[str], text: str) -> bool:
    return any(matches(pattern, text) for pattern in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    if "${" in pattern:
        raise ValueError(f"the evaluator knows no policy variables: {pattern}")
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _listed(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
