"""A step's shell as the platforms start it, and the files through which a step speaks to GitHub."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LIMIT_SECONDS = 120
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
# Some builds of Python need it; nothing else of the tests' environment gets in.
PASSED_ON = ("LD_LIBRARY_PATH",)


@dataclass(frozen=True)
class Done:
    """What became of a command."""

    code: int
    log: str


def plain_environment(home: Path) -> dict[str, str]:
    """Return an environment with neither AWS credentials nor a network."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        **nowhere,
        "no_proxy": "127.0.0.1,localhost",
        "PATH": SYSTEM_PATH,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "CI": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def run_bash(script: str, folder: Path, environment: Mapping[str, str]) -> Done:
    """Run a script as a file, and return its end and all that it wrote."""
    file = folder.parent / "step.sh"
    file.write_text(script)
    done = subprocess.run(
        [*BASH, str(file)],
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    return Done(done.returncode, done.stdout)


def read_assignments(text: str) -> dict[str, str]:
    """Read what a step wrote to GITHUB_OUTPUT or GITHUB_ENV; the last value of a name counts."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][\w-]*", name):
            raise ValueError(f"{line!r}: expected name=value")
        found[name] = value
    return found


def install_commands(folder: Path, source: Path, commands: Mapping[str, str]) -> None:
    """Write commands that call modules of a source folder in the tests' own environment."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, call in commands.items():
        file = folder / name
        file.write_text(f'#!/bin/sh\nPYTHONPATH="{source}" exec "{sys.executable}" {call} "$@"\n')
        file.chmod(0o755)
