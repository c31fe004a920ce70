"""What the import contracts cannot see: imports of the container scripts, and the sizes of modules and functions."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "pipelines"
STEPS = PACKAGE / "fraud" / "steps"
# What the SageMaker images have.
IN_THE_IMAGES = {"numpy", "pandas", "pyarrow", "sklearn", "xgboost"}
LONGEST_MODULE, LONGEST_FUNCTION = 400, 60


def imports(path: Path) -> Iterator[str]:
    """Yield the first names of all that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else (node.module or "").partition(".")[0]


@pytest.mark.parametrize("script", sorted(STEPS.glob("*.py")), ids=lambda path: path.name)
def test_a_container_script_imports_only_what_its_container_has(script: Path) -> None:
    siblings = {path.stem for path in STEPS.glob("*.py")}
    assert set(imports(script)) <= siblings | IN_THE_IMAGES | sys.stdlib_module_names


def test_modules_and_functions_can_be_read_in_one_sitting() -> None:
    sizes = {
        f"{path.relative_to(REPOSITORY)}: {getattr(node, 'name', 'module')}": size - limit
        for path in PACKAGE.rglob("*.py")
        for node, size, limit in measured(path)
    }
    assert sizes
    assert {name: over for name, over in sizes.items() if over > 0} == {}


def measured(path: Path) -> Iterator[tuple[ast.AST, int, int]]:
    text = path.read_text(encoding="utf-8")
    module = ast.parse(text)
    yield module, len(text.splitlines()), LONGEST_MODULE
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1, LONGEST_FUNCTION
