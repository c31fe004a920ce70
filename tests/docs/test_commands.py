"""The commands and programs of the documentation are run, in their order, and do what is said of them."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from pipelines.delivery.tracking import local_tracking
from pipelines.fraud.settings import PIPELINE_NAME
from tests.delivery.tracking.experiments import Experiments
from tests.docs.pages import PAGES, REPOSITORY, as_here, blocks, rows, section

MODULES = {
    "approve-model": "pipelines.approve_model",
    "deploy-model": "pipelines.deploy_model",
    "run-pipeline": "pipelines.run_pipeline",
    "get-pipeline-definition": "pipelines.get_pipeline_definition",
    "teardown-project": "pipelines.teardown_project",
}
# What a shell, an AWS account or somebody who ends it is needed for.
ELSEWHERE = re.compile(r"make |\. |.*--role-arn|sagemaker-local ")


class Shell:
    """A folder in which commands of a checkout are typed, without an AWS account; what they printed, by command."""

    def __init__(self, folder: Path, checkout: Path = REPOSITORY) -> None:
        self.folder = folder
        self.printed: dict[str, str] = {}
        self.said = ""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COVERAGE_"))}
        nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        self._environment = {**plain, **nowhere, "PYTHONPATH": str(checkout)}

    def type(self, command: str, *, exit_code: int = 0) -> None:
        first, *rest = shlex.split(as_here(command))
        self._run(command, ["-m", MODULES[first], *rest] if first in MODULES else rest, exit_code)

    def run_program(self, source: str) -> None:
        self._run(source, ["-c", as_here(source)], 0)

    def _run(self, name: str, arguments: list[str], exit_code: int) -> None:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == exit_code, f"{name}: {done.stdout}{done.stderr}"
        self.printed[name] = done.stdout
        self.said = done.stderr


def test_the_commands_and_programs_do_what_is_said_of_them(tmp_path: Path, sample_code: Path) -> None:
    shell = Shell(tmp_path, sample_code)
    assert "run-pipeline --local $(ARGS)" in (REPOSITORY / "Makefile").read_text()
    shell.type("run-pipeline --local")
    typed = [line for block in blocks(PAGES["README.md"], "sh") for line in block.splitlines()]
    for command in typed:
        if not ELSEWHERE.match(command):
            shell.type(command, exit_code=3 if "0.99" in command else 0)
    check_what_is_left(tmp_path)
    for program in blocks(section("docs/local.md", "From Python"), "python"):
        shell.run_program(program)
    check_branches(shell.printed)
    check_programs(list(shell.printed.values())[-2:])
    assert json.loads((tmp_path / "outcome.json").read_text())["outcome"] == "registered"
    check_definition(json.loads((tmp_path / "pipeline.json").read_text()))


def test_the_korean_readme_has_commands_of_the_english_one_only() -> None:
    english, korean = (
        {
            re.sub("#.*|--note '[^']*'|--note \"[^\"]*\"", "", line).strip()
            for line in "".join(blocks(text, "sh")).splitlines()
        }
        for text in (PAGES["README.md"], PAGES["README.ko.md"])
    )
    assert korean <= english
    assert {"make run", "make test"} <= korean


def test_the_module_of_ones_own_runs_as_it_is_said(tmp_path: Path) -> None:
    text = section("docs/pipeline.md", "A module of your own")
    shell = Shell(tmp_path)
    for name, source in zip(("fit.py", "my_pipeline.py"), blocks(text, "python"), strict=True):
        assert f"`{name}`" in text
        (tmp_path / name).write_text(source)
    (commands,) = blocks(text, "sh")
    for command in commands.splitlines():
        shell.type(command, exit_code=3 if "0.99" in command else 0)
    first, second = shell.printed.values()
    assert "Register registered model package mine/1" in first
    assert "Fit: cached" in second
    assert "REJECTED" in second


def check_what_is_left(folder: Path) -> None:
    """Git ignores every file that the README's commands make, and MLflow has the runs to compare with their trials."""
    ignored = {line.strip("/") for line in (REPOSITORY / ".gitignore").read_text().splitlines()}
    assert {entry.name for entry in folder.iterdir()} <= ignored
    found = Experiments(local_tracking(folder / ".sagemaker-local"))
    kinds = Counter(run.data.tags["sagemaker.kind"] for run in found.runs(PIPELINE_NAME))
    # The two that were tracked, and the one that had run what they took from the cache.
    assert (kinds["execution"], kinds["trial"]) == (3, 5)


def check_branches(printed: dict[str, str]) -> None:
    first = printed["run-pipeline --local"]
    assert f"RegisterTuned registered model package {PIPELINE_NAME}/1" in first
    other = printed["run-pipeline --local --parameter RocAucThreshold=0.75"]
    assert f"Register registered model package {PIPELINE_NAME}/2" in other
    assert all(f"{step}: cached" in other for step in ("Preprocess", "Train", "Evaluate"))
    assert "REJECTED" in printed["run-pipeline --local --parameter RocAucThreshold=0.99"]
    for stage in ("staging", "production"):
        assert f"DEPLOYED: {PIPELINE_NAME}/1" in printed[f"deploy-model --stage {stage} --local"]
        assert "TORN DOWN" in printed[f"deploy-model --stage {stage} --teardown --local"]
    # Of the packages before it, the rejected run made none.
    assert f"{PIPELINE_NAME}/3" in printed["run-pipeline --local --input-data my-data"]


def check_programs(printed: list[str]) -> None:
    packages, steps = printed
    assert f"model-package/{PIPELINE_NAME}/1 Approved" in packages
    assert f"model-package/{PIPELINE_NAME}/2 PendingManualApproval" in packages
    assert "Register Succeeded" in steps


def check_definition(definition: dict[str, Any]) -> None:
    documented = {name.strip("`"): kind for name, kind, *_ in rows(section("docs/pipeline.md", "Parameters"))}
    assert documented == {parameter["Name"]: parameter["Type"] for parameter in definition["Parameters"]}
    for name, _, default, *_ in rows(section("docs/pipeline.md", "Parameters")):
        (parameter,) = (one for one in definition["Parameters"] if f"`{one['Name']}`" == name)
        # What the settings say is theirs.
        assert default.strip("`") == str(parameter["DefaultValue"]) or "the settings" in default
    names = set(re.findall(r'"Name": "(\w+)", "Type": "(?:[A-Z]\w+)", "Arguments"', json.dumps(definition)))
    table = rows(PAGES["docs/pipeline.md"].partition("## The two gates")[0])
    assert {name.strip("` ") for row in table for name in row[0].split(",")} == names
    for name in names:
        assert f">{name}<" in (REPOSITORY / "docs" / "pictures" / "pipeline.svg").read_text()
