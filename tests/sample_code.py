"""Copies of this repository's code that run on the sample data, whatever a team has made of its own copy."""

import json
import shutil
from pathlib import Path

from tests.adoption.init.copies import FRESH, REPOSITORY

# What all is called is the team's, in what a test expects too.
NAMES = ("pipeline_name", "model_package_group_name", "base_job_prefix")
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")


def copy_code(target: Path) -> Path:
    """Copy the packages into a folder, with the schema of the sample data and the settings of a fresh copy."""
    for package in ("pipelines", "benchmarks"):
        shutil.copytree(REPOSITORY / package, target / package, ignore=IGNORED)
    make_sample(target)
    return target


def make_sample(checkout: Path) -> None:
    """Give a copy the schema of the sample data and, but for the names, the settings of a fresh one."""
    package = checkout / "pipelines" / "fraud"
    shutil.copy(package / "sample.json", package / "steps" / "schema.json")
    settings = package / "settings.json"
    fresh = {name: value for name, value in FRESH.items() if name not in NAMES}
    settings.write_text(json.dumps(json.loads(settings.read_text(encoding="utf-8")) | fresh), encoding="utf-8")
