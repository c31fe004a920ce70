"""`make notebooks`: what it would start JupyterLab with, as this user and as root."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.notebooks.files import EVERY, REPOSITORY


def recipe(folder: Path, user: int, *variables: str) -> str:
    """Return the commands of `make notebooks` for a user by number."""
    who = folder / "id"
    who.write_text(f"#!/bin/sh\necho {user}\n")
    who.chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    command = ["make", "--dry-run", "notebooks", *variables]
    done = subprocess.run(command, cwd=REPOSITORY, env={"PATH": path}, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(("user", "told"), [(0, True), (1000, False)])
def test_jupyterlab_starts_as_root_too(tmp_path: Path, user: int, told: bool) -> None:
    assert ("--allow-root" in recipe(tmp_path, user)) is told


def test_options_are_passed_on(tmp_path: Path) -> None:
    assert recipe(tmp_path, 1000, "ARGS=--no-browser --port 8890").rstrip().endswith(" --no-browser --port 8890")


def test_it_opens_the_first_notebook_and_asks_nobody_for_news(tmp_path: Path) -> None:
    said = recipe(tmp_path, 1000)
    opened = re.search(r"default_url=/lab/tree/(\S+)", said)
    settings = re.search(r"echo '(.*)' > \S+/overrides\.json", said)
    assert opened
    assert opened[1] == EVERY[0]
    assert settings
    assert json.loads(settings[1])["@jupyterlab/apputils-extension:notification"] == {
        "fetchNews": "false",
        "checkForUpdates": False,
    }
