"""Edits of a checkout: shown before they are made, made file by file with a rename, and not made twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.adoption.init.checkout import Checkout
from pipelines.delivery.errors import UsageError
from pipelines.delivery.files import write_text
from pipelines.delivery.settings import parse_settings, read_values


@dataclass(frozen=True)
class Edit:
    """A file's new text, or none where the file goes, and in what this differs."""

    path: Path
    text: str | None
    says: tuple[str, ...] = ()


def edit_settings(checkout: Checkout, chosen: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield the edit that gives the settings these values, if it changes any; keys of others stay as they are."""
    values = read_values(checkout.settings)
    parse_settings(values, checkout.settings)
    new = {**values, **chosen}
    parse_settings(new, checkout.settings)
    changed = [key for key in new if new[key] != values.get(key)]
    if changed:
        width = max(map(len, changed))
        says = (f"{key:<{width}}  {_said(values.get(key))} -> {_said(new[key])}" for key in changed)
        yield Edit(checkout.settings, _as_text(new), tuple(says))


def make(edits: Sequence[Edit]) -> None:
    """Make the edits; UsageError, and nothing is done, where a folder cannot be written to."""
    for folder in {edit.path.parent for edit in edits}:
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise UsageError(f"{folder} cannot be written to, so nothing was changed: work in a copy of your own")
    for edit in edits:
        if edit.text is not None:
            write_text(edit.text, edit.path)
    for edit in edits:
        if edit.text is None:
            edit.path.unlink(missing_ok=True)
            _remove_if_empty(edit.path.parent)


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _as_text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
