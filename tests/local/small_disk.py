"""Programs that run on a small disk, which is soon full."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

REPOSITORY = Path(__file__).parents[2]


def run_on_small_disk(folder: Path, program: str, *arguments: str) -> str:
    """Run a Python program where a folder, its first argument, is a disk of 8 MB; return what it prints."""
    prefix = ["unshare", "-Urm"]
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs unshare(1) and user namespaces")
    mount = f'mount -t tmpfs -o size=8m none "{folder}" && exec "$@"'
    command = [sys.executable, "-W", "error", "-c", dedent(program), str(folder), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [*prefix, "bash", "-c", mount, "bash", *command],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout
