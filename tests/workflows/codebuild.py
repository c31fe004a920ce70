"""Runs a buildspec as CodeBuild does: all commands of all phases in one shell's variables, artifacts at the end."""

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.workflows.actions import COMMANDS, IGNORED
from tests.workflows.files import read
from tests.workflows.shell import install_commands, plain_environment, run_bash

KNOWN = {"version", "env", "phases", "reports", "artifacts"}
PHASES = ("install", "pre_build", "build", "post_build")
# What would fetch the packages that the tests' environment has already.
INSTALLERS = ("pip", "uv")


@dataclass(frozen=True)
class Build:
    """What became of a build: its log, the kept artifacts, and the files of the report groups."""

    codes: Mapping[str, int]
    log: str
    artifacts: tuple[str, ...]
    reports: Mapping[str, tuple[Path, ...]]
    workspace: Path

    @property
    def succeeded(self) -> bool:
        """Whether all phases did."""
        return not any(self.codes.values())


def run_build(buildspec: Path, source: Path, work: Path, variables: Mapping[str, str]) -> Build:
    """Run a buildspec on a source tree."""
    spec = read(buildspec)
    if unknown := set(spec) - KNOWN:
        raise ValueError(f"the runner knows no {unknown}")
    workspace = work / "src"
    shutil.copytree(source, workspace, ignore=IGNORED)
    install_commands(work / "bin", workspace, COMMANDS)
    for name in INSTALLERS:
        (work / "bin" / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (work / "bin" / name).chmod(0o755)
    plain = plain_environment(work)
    environment = {**plain, **variables, "PATH": f"{work / 'bin'}:{plain['PATH']}", "CODEBUILD_SRC_DIR": str(workspace)}
    codes, log = _run_phases(spec["phases"], workspace, environment)
    return Build(
        codes=codes,
        log=log,
        artifacts=tuple(sorted(_find(workspace, spec["artifacts"]["files"]))),
        reports={name: tuple(_report_files(workspace, group)) for name, group in spec.get("reports", {}).items()},
        workspace=workspace,
    )


def _run_phases(
    phases: Mapping[str, Mapping[str, list[str]]], workspace: Path, environment: Mapping[str, str]
) -> tuple[dict[str, int], str]:
    codes: dict[str, int] = {}
    log = ""
    for name in PHASES:
        # After a failed build the phase behind it runs all the same; after a failure before it, nothing does.
        if name not in phases or any(code for phase, code in codes.items() if phase != "build"):
            continue
        # CodeBuild ends a phase with its first command that fails; variables live on to the next command.
        script = "\n".join(f"eval {shlex.quote(command)} || exit $?" for command in phases[name]["commands"])
        done = run_bash(script, workspace, environment)
        codes[name] = done.code
        log += done.log
    return codes, log


def _find(folder: Path, patterns: list[str]) -> list[str]:
    # CodeBuild's `**/*` is about files in the folder itself too.
    return [
        path.relative_to(folder).as_posix() for pattern in patterns for path in folder.glob(pattern) if path.is_file()
    ]


def _report_files(workspace: Path, group: Mapping[str, object]) -> list[Path]:
    base = workspace / str(group["base-directory"])
    files = group["files"]
    if group["file-format"] != "JUNITXML" or not isinstance(files, list):
        raise ValueError(f"the runner knows no report group like {group}")
    return [base / name for name in _find(base, files)]
