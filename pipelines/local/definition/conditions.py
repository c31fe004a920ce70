"""The grammar of conditions."""

from typing import Any

from pipelines.local.definition.functions import Use, check_operand
from pipelines.local.definition.members import Members, json_type
from pipelines.local.definition.place import Place, Refusal, check_depth, did_you_mean

COMPARISONS = frozenset({"Equals", "NotEquals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"})
MEMBERSHIPS = frozenset({"In", "NotIn"})
MEMBERS = {
    **dict.fromkeys(sorted(COMPARISONS), ("Type", "LeftValue", "RightValue")),
    **dict.fromkeys(sorted(MEMBERSHIPS), ("Type", "QueryValue", "Values")),
    "Not": ("Type", "Condition"),
    "Or": ("Type", "Conditions"),
}


def check_conditions(value: Any, place: Place, uses: list[Use]) -> None:
    """Check a list of conditions and add the references in it to `uses`."""
    if not isinstance(value, list):
        raise Refusal("Expecting start of Json Array.", place, hint=f"found {json_type(value)}")
    for index, condition in enumerate(value):
        _check_condition(condition, (place, index), uses)


def _check_condition(value: Any, place: Place, uses: list[Use]) -> None:
    check_depth(place)
    kind = value.get("Type") if isinstance(value, dict) else None
    members = MEMBERS.get(kind) if isinstance(kind, str) else None
    if members is None:
        hint = did_you_mean(kind, MEMBERS) if kind else f"found {json_type(value)}"
        raise Refusal(f"Unknown condition type {kind!r:.300}.", place, hint=hint)
    condition = Members(value, place, members)
    if kind == "Not":
        _check_condition(condition.any("Condition"), condition.at("Condition"), uses)
    elif kind == "Or":
        check_conditions(condition.any("Conditions"), condition.at("Conditions"), uses)
    elif kind in COMPARISONS:
        check_operand(condition.any("LeftValue"), condition.at("LeftValue"), uses)
        check_operand(condition.any("RightValue"), condition.at("RightValue"), uses)
    else:
        check_operand(condition.any("QueryValue"), condition.at("QueryValue"), uses)
        condition.any("Values")
        for index, item in enumerate(condition.list("Values")):
            check_operand(item, (condition.at("Values"), index), uses)
