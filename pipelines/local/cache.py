"""What ran before: step caching by the service's rules, and why a step did not hit."""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from pipelines.local.database import Database, Document

HITS = "cache"
LATEST = "cache-latest"
# Of a changed value, in characters.
LONGEST_VALUE = 60

# The arguments that make up the key, by step type: "Default cache key attributes by pipeline step type" in the
# service's guide. All others (outputs, instances, roles, limits, networks, tags) may change without a miss.
KEY_MEMBERS: dict[str, tuple[str, ...]] = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Tuning": ("HyperParameterTuningJobConfig", "TrainingJobDefinition", "TrainingJobDefinitions"),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
}
KEY_MEMBERS_OF_TRAINING_DEFINITION = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)


@dataclass(frozen=True)
class Entry:
    """An earlier success: the execution it was part of, the job's metadata as the step shows it, and what it made."""

    execution_arn: str
    metadata: Document
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lookup:
    """The answer of the cache: an entry, or the reason why there is none."""

    entry: Entry | None
    reason: str


class Cache:
    """The successful runs of a pipeline's steps, newest per key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, step: str, members: Document, expire_after_seconds: float | None) -> Lookup:
        """Look an earlier success up; `step` is `<pipeline>/<step>`."""
        found = self._database.get(HITS, f"{step}/{_digest(members)}")
        if found is None:
            return Lookup(None, self._explain(step, members))
        age = time.time() - found["Finished"]
        if expire_after_seconds is not None and age > expire_after_seconds:
            return Lookup(None, f"the same run is {_span(age)} old, and expires after {_span(expire_after_seconds)}")
        entry = Entry(found["ExecutionArn"], found["Metadata"], tuple(found["Outputs"]))
        return Lookup(entry, f"nothing that counts has changed since {entry.execution_arn.rsplit('/', 1)[-1]}")

    def remember(self, step: str, members: Document, entry: Entry) -> None:
        """Keep a success, in place of an older one of the same key."""
        body = {
            "ExecutionArn": entry.execution_arn,
            "Metadata": entry.metadata,
            "Outputs": entry.outputs,
            "Finished": time.time(),
        }
        with self._database.transaction():
            self._database.put(HITS, f"{step}/{_digest(members)}", body)
            self._database.put(LATEST, step, {"Members": members})

    def forget(self, pipeline: str) -> None:
        """Drop all successes of a pipeline."""
        for kind in (HITS, LATEST):
            self._database.delete_all(kind, f"{pipeline}/")

    def _explain(self, step: str, members: Document) -> str:
        latest = self._database.get(LATEST, step)
        if latest is None:
            return "no earlier run of this step succeeded"
        changes = list(_changes(latest["Members"], members, ""))
        shown = "; ".join(changes[:3])
        return f"changed since its last success: {shown}" + (f"; and {len(changes) - 3} more" * (len(changes) > 3))


def key_members(step_type: str, arguments: Document) -> Document:
    """Return the part of a step's resolved arguments that its cache key is made of."""
    members = {name: arguments[name] for name in KEY_MEMBERS[step_type] if arguments.get(name)}
    if "TrainingJobDefinition" in members:
        definition = members["TrainingJobDefinition"]
        members["TrainingJobDefinition"] = {
            name: definition[name] for name in KEY_MEMBERS_OF_TRAINING_DEFINITION if definition.get(name)
        }
    return members


def _digest(members: Document) -> str:
    return hashlib.sha256(json.dumps(members, sort_keys=True).encode()).hexdigest()


def _changes(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _changes(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _changes(before, after, f"{path}[{index}]")
    elif old != new:
        before, after = _text(old), _text(new)
        same = (one == other for one, other in zip(before, after, strict=False))
        difference = sum(takewhile(bool, same))
        yield f"{path} was {_short(before, difference)}, is {_short(after, difference)}"


def _text(value: Any) -> str:
    return "absent" if value is None else json.dumps(value, ensure_ascii=False)


def _short(text: str, difference: int) -> str:
    """Return a long text's part around the place where it differs from the other."""
    if len(text) <= LONGEST_VALUE:
        return text
    start = max(0, min(difference - LONGEST_VALUE // 4, len(text) - LONGEST_VALUE))
    part = text[start : start + LONGEST_VALUE]
    # A string of JSON is in quotes, of which the cut may have taken one.
    quote = '"' * text.startswith('"')
    before, after = f"{quote}…" if start else "", f"…{quote}" if start + LONGEST_VALUE < len(text) else ""
    return f"{before}{part}{after}"


def _span(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
