"""The schema of the data: drafted in place of the sample's, and a team's own from then on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.adoption.init.checkout import Checkout
from pipelines.adoption.init.edits import Edit
from pipelines.adoption.init.git import require_committed


def is_own(checkout: Checkout, draft: str) -> bool:
    """Whether the schema is neither the sample's nor the draft, so that somebody has made it what it is."""
    if not checkout.schema.exists():
        return False
    return _read(checkout.schema) not in (_read(checkout.sample), json.loads(draft))


def edit_schema(checkout: Checkout, draft: str, says: Sequence[str]) -> Iterator[Edit]:
    """Yield the edit that makes the draft the schema, unless it is; refuse to lose what git does not have."""
    if not checkout.schema.exists():
        yield Edit(checkout.schema, draft, tuple(says))
    elif _read(checkout.schema) != json.loads(draft):
        require_committed(checkout.root, [checkout.named(checkout.schema)], "--data")
        yield Edit(checkout.schema, draft, tuple(says))


def _read(path: Path) -> object:
    """Return what a file says; what is no JSON is like nothing else."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return object()
