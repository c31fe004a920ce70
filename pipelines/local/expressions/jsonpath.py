"""Following a path into a JSON document."""

import json
from collections.abc import Sequence
from typing import Any

from pipelines.local.definition.place import one_line
from pipelines.local.definition.references import Path
from pipelines.local.errors import StepFailure

# The member by which the service lets a list be read as a map: the name of its elements.
NAME_MEMBERS = ("OutputName", "InputName", "MetricName", "ChannelName", "Name", "AlgorithmName", "Key")


def follow(document: Any, path: Path, *, source: str, by_name: bool = False) -> Any:
    """Return what stands at a path; `source` names the document and the path for the error.

    With `by_name`, a string selects the element of a list by its natural name: `Outputs['train']` is the output
    whose OutputName is train.

    Raises:
        StepFailure: nothing stands there; the message says which part is missing and what there is.
    """
    value = document
    for segment in path:
        found, value = _step_into(value, segment, by_name=by_name)
        if not found:
            missing = f"there is no {_quoted(segment)}{_choices(value, by_name=by_name)}"
            raise StepFailure(one_line(f"{source}: {missing}"))
    return value


def parse_json(content: bytes, source: str) -> Any:
    """Parse a JSON file; `source` names it for the error.

    Raises:
        StepFailure: the file is not JSON.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise StepFailure(f"{source}: the file is not valid JSON: {reason}") from error


def _step_into(value: Any, segment: str | int, *, by_name: bool) -> tuple[bool, Any]:
    """Return whether there is such a part, and it or else the value itself."""
    if isinstance(value, dict):
        key = str(segment)
        return (True, value[key]) if key in value else (False, value)
    if isinstance(value, list):
        if isinstance(segment, int):
            return (True, value[segment]) if segment < len(value) else (False, value)
        if by_name:
            return next(((True, item) for item in value if _name_of(item) == segment), (False, value))
    return False, value


def _name_of(item: Any) -> str | None:
    if not isinstance(item, dict):
        return None
    return next((item[member] for member in NAME_MEMBERS if member in item), None)


def _quoted(segment: str | int) -> str:
    return f"[{segment}]" if isinstance(segment, int) else f"'{segment}'"


def _choices(value: Any, *, by_name: bool) -> str:
    if isinstance(value, dict):
        return _listed(list(value))
    if isinstance(value, list):
        names = [name for name in map(_name_of, value) if name is not None] if by_name else []
        return _listed(names) if names else f" in a list of {len(value)}"
    return f" below {json.dumps(value)[:100]}"


def _listed(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > 20 else ""
    return f"; there are: {', '.join(names[:20])}{more}" if names else " in an empty object"
