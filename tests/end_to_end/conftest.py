"""The commands as a person types them, on a SageMaker of this machine that many tests share."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.fraud.dataset import write
from pipelines.fraud.settings import PIPELINE_NAME
from pipelines.local.session import session
from tests.adoption.init.copies import REPOSITORY

LIMIT_SECONDS = 120


@dataclass(frozen=True)
class Done:
    """What became of a command; `outcome` is what it wrote for machines."""

    code: int
    output: str
    error: str
    outcome: dict[str, Any]

    @property
    def statuses(self) -> dict[str, str]:
        return {step["name"]: step["status"] for step in self.outcome["steps"]}

    @property
    def cached(self) -> set[str]:
        return {step["name"] for step in self.outcome["steps"] if step["cache_hit"]}


class Shell:
    """Runs commands of a checkout with `--local` on one root."""

    def __init__(self, root: Path, folder: Path, code: Path = REPOSITORY) -> None:
        self.root = root
        self.folder = folder
        self.code = code
        folder.mkdir(exist_ok=True)

    def command(self, *arguments: str | Path, module: str = "run_pipeline") -> list[str]:
        first = [sys.executable, "-m", f"pipelines.{module}", "--local", "--local-root", str(self.root)]
        return [*first, *map(str, arguments)]

    def environment(self) -> dict[str, str]:
        """Return the user's environment, without AWS and without any network that a proxy might offer."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, "PYTHONPATH": str(self.code), "https_proxy": "http://127.0.0.1:9", "TERM": "dumb"}

    def run(self, *arguments: str | Path, module: str = "run_pipeline", cwd: Path | None = None) -> Done:
        outcome = self.folder / f"{module}.json"
        outcome.unlink(missing_ok=True)
        done = subprocess.run(
            self.command("--json", outcome, *arguments, module=module),
            cwd=cwd or self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
        found = json.loads(outcome.read_text()) if outcome.exists() else {}
        return Done(done.returncode, done.stdout, done.stderr, found)


@pytest.fixture(scope="session")
def shared_shell(tmp_path_factory: pytest.TempPathFactory, sample_code: Path) -> Shell:
    """A shell on a root with a space and Korean letters in its path."""
    folder = tmp_path_factory.mktemp("end to end 한국어")
    return Shell(folder / "local root", folder / "work", sample_code)


@pytest.fixture(scope="session")
def first_run(shared_shell: Shell) -> Done:
    """The very first run: the sample data, the default threshold, nothing cached."""
    return shared_shell.run()


@pytest.fixture(scope="session")
def definition_file(shared_shell: Shell, first_run: Done) -> Path:
    """The definition of the fraud pipeline, whose code and data are in the shared root."""
    assert first_run.outcome
    opened = session(shared_shell.root)
    described = opened.client("sagemaker").describe_pipeline(PipelineName=PIPELINE_NAME)
    opened.close()
    file = shared_shell.folder / f"{PIPELINE_NAME}.json"
    file.write_text(described["PipelineDefinition"])
    return file


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """A folder with a small set of sample data."""
    folder = tmp_path / "claims"
    write(folder, rows=2000)
    return folder
