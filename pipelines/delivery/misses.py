"""Why steps were not taken from the cache, with those told in one line that only followed another step."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.delivery.definition import Run
from pipelines.delivery.run import Result
from pipelines.delivery.snapshot import Execution
from pipelines.delivery.wording import shortened

_LONGEST_REASON = 240
_CHANGES = "changed since its last success: "
_PATH = re.compile(r"(?:^|; )([^\s;]+) was ")
_UNNAMED = re.compile(r"; and \d+ more$")
_STEP = re.compile(r"Steps\.([^.\[]+)")


def misses(result: Result) -> Iterator[tuple[str, str]]:
    """Yield the names of steps, and the reason that they share; the outcome has the reasons in full."""
    missed = _missed(result.execution)
    told = {name: result.cache_reasons[name] for name in missed if name in result.cache_reasons}
    followed = _followed(result.execution, result.run, told)
    steps: dict[str, list[str]] = {}
    for name, reason in told.items():
        if name not in followed:
            steps.setdefault(shortened(reason, _LONGEST_REASON), []).append(name)
    for reason, names in steps.items():
        yield ", ".join(names), reason
    if followed:
        every = set().union(*followed.values())
        first = [name for name in missed if name in every and name not in followed]
        yield ", ".join(followed), _following("its" if len(followed) == 1 else "their", first)


def reasons(execution: Execution, run: Run, told: Mapping[str, str]) -> dict[str, str]:
    """Return each step's reason; of one that only followed others, which these are."""
    followed = _followed(execution, run, told)
    sources = {name: [each for each in _missed(execution) if each in found] for name, found in followed.items()}
    return {**told, **{name: _following("its", found) for name, found in sources.items()}}


def _missed(execution: Execution) -> list[str]:
    return [step.name for step in execution.steps if not step.cache_source]


def _following(whose: str, sources: Sequence[str]) -> str:
    return f"{whose} inputs come from {' and '.join(sources)}, which ran again"


def _followed(execution: Execution, run: Run, told: Mapping[str, str]) -> dict[str, set[str]]:
    """Return, for each step for which new outputs of other steps are all that has changed, those steps."""
    ran = set(_missed(execution))
    found = {name: _changed_sources(run, name, told[name], ran) for name in told if name in ran}
    return {name: sources for name, sources in found.items() if sources}


def _changed_sources(run: Run, name: str, reason: str, ran: set[str]) -> set[str]:
    """Return the steps whose new outputs are all that has changed for a step; none where more has, or may have."""
    plan = run.definition.steps.get(name)
    if plan is None or not reason.startswith(_CHANGES) or _UNNAMED.search(reason):
        return set()
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
