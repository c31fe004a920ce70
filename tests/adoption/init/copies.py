"""Copies of this repository in git, as far as init-project looks at them."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.adoption.init.providers import FILES

REPOSITORY = Path(__file__).parents[3]
SETTINGS = "pipelines/fraud/settings.json"
SCHEMA, SAMPLE = "pipelines/fraud/steps/schema.json", "pipelines/fraud/sample.json"
KEPT = ("pyproject.toml", SETTINGS, SCHEMA, SAMPLE, *(name for names in FILES.values() for name in names))
# What a fresh copy has, whatever became of this one.
FRESH: dict[str, Any] = {
    "pipeline_name": "fraud-detection",
    "model_package_group_name": "fraud-detection",
    "base_job_prefix": "fraud",
    "model_description": "Probability that a claim is fraudulent.",
    "region": None,
    "input_data": None,
    "processing_instance_type": "ml.m5.xlarge",
    "training_instance_type": "ml.m5.xlarge",
    "hosting_instance_type": "ml.m5.large",
    "subnets": [],
    "security_groups": [],
    "roc_auc_threshold": 0.85,
    "max_tuning_jobs": 5,
    "max_parallel_tuning_jobs": 5,
}
_NOBODY = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")


@dataclass(frozen=True)
class Copy:
    """A copy of the repository in a folder."""

    root: Path

    @property
    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / SETTINGS).read_text())
        return found

    @property
    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / SCHEMA).read_text())
        return found

    def files(self) -> dict[str, bytes]:
        """Return all files but git's own, with their contents."""
        found = (path for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found}

    def write(self, name: str, content: object) -> None:
        """Write a file: a text, or JSON."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2) + "\n")

    def git(self, *arguments: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = ["git", *_NOBODY, *arguments]
        return subprocess.run(command, cwd=self.root, env=kept, check=True, capture_output=True, text=True).stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "All")


def copy_to(root: Path, *, in_git: bool = True) -> Copy:
    """Copy what a fresh copy has, and commit it."""
    copy = Copy(root)
    for name in KEPT:
        source = REPOSITORY / name
        copy.write(name, "")
        if source.exists():
            shutil.copy(source, root / name)
    copy.write(SETTINGS, FRESH)
    shutil.copy(root / SAMPLE, root / SCHEMA)
    if in_git:
        copy.git("init", "--quiet")
        copy.commit()
    return copy
