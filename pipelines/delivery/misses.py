"""Why steps were not taken from the cache, with those told in one line that only followed another step."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.delivery.run import Result
from pipelines.delivery.wording import shortened

_LONGEST_REASON = 240
_CHANGES = "changed since its last success: "
_PATH = re.compile(r"(?:^|; )([^\s;]+) was ")
_UNNAMED = re.compile(r"; and \d+ more$")
_STEP = re.compile(r"Steps\.([^.\[]+)")


def misses(result: Result) -> Iterator[tuple[str, str]]:
    """Yield the names of steps, and the reason that they share; the outcome has the reasons in full."""
    missed = [step.name for step in result.execution.steps if not step.cache_source]
    reasons = {name: result.cache_reasons[name] for name in missed if name in result.cache_reasons}
    followed = {name: found for name, reason in reasons.items() if (found := _followed(name, reason, result))}
    steps: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        if name not in followed:
            steps.setdefault(shortened(reason, _LONGEST_REASON), []).append(name)
    for reason, names in steps.items():
        yield ", ".join(names), reason
    if followed:
        every = set().union(*followed.values())
        first = [name for name in missed if name in every and name not in followed]
        whose = "its" if len(followed) == 1 else "their"
        yield ", ".join(followed), f"{whose} inputs come from {' and '.join(first)}, which ran again"


def _followed(name: str, reason: str, result: Result) -> set[str]:
    """Return the steps whose new outputs are all that has changed for a step; none where more has, or may have."""
    plan = result.run.definition.steps.get(name)
    if plan is None or not reason.startswith(_CHANGES) or _UNNAMED.search(reason):
        return set()
    ran = {step.name for step in result.execution.steps if not step.cache_source}
    changed = [_sources(_at(plan.arguments, path)) for path in _PATH.findall(reason.removeprefix(_CHANGES))]
    return set().union(*changed) if changed and all(sources and sources <= ran for sources in changed) else set()


def _at(value: Any, path: str) -> Any:
    """Return what stands at a place such as `InputDataConfig[0].DataSource`; none where nothing does."""
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _sources(value: Any) -> set[str]:
    """Return the steps that an expression refers to."""
    if isinstance(value, list):
        return set().union(*map(_sources, value))
    if not isinstance(value, Mapping):
        return set()
    found = _STEP.match(value["Get"]) if isinstance(value.get("Get"), str) else None
    return {found[1]} if found else _sources(list(value.values()))
