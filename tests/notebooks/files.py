"""The notebooks as files: which there are, and what stands in them."""

import json
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "notebooks"
KOREAN = ".ko.ipynb"
EVERY = sorted(path.name for path in FOLDER.glob("*.ipynb"))
ENGLISH = [name for name in EVERY if not name.endswith(KOREAN)]


def korean(name: str) -> str:
    """Return the name of a notebook's Korean edition."""
    return name.removesuffix(".ipynb") + KOREAN


def read(name: str) -> dict[str, Any]:
    """Return a notebook's JSON."""
    document: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return document


def cells(name: str, kind: str) -> list[str]:
    """Return the sources of a notebook's cells of a kind, code or markdown."""
    return ["".join(cell["source"]) for cell in read(name)["cells"] if cell["cell_type"] == kind]
