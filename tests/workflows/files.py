"""The files under test, and the programs that look at them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
DEPENDABOT = REPOSITORY / ".github" / "dependabot.yml"
BUILDSPEC = REPOSITORY / "codebuild-buildspec.yml"
DEPLOY_BUILDSPEC = REPOSITORY / "deploy-buildspec.yml"
BUILDSPECS = sorted(REPOSITORY.glob("*buildspec.yml"))
TOOLS = Path(sys.executable).parent


def read(file: Path) -> dict[Any, Any]:
    """Read a YAML file."""
    document: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def steps(file: Path) -> Iterator[dict[str, Any]]:
    """Return the steps of all jobs of a workflow."""
    for job in read(file)["jobs"].values():
        yield from job.get("steps", [])


def scripts() -> dict[str, str]:
    """Return every piece of shell, by where it stands."""
    blocks = {
        f"{file.name}: {step['name']}": step["run"] for file in WORKFLOWS for step in steps(file) if "run" in step
    }
    commands = {
        f"{file.name}: {name}": "\n".join(phase["commands"])
        for file in BUILDSPECS
        for name, phase in read(file)["phases"].items()
    }
    return blocks | commands


def call(tool: str, *arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Call a program of this environment."""
    command = [str(TOOLS / tool), *map(str, arguments)]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
