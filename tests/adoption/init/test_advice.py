"""What is next: lines that a shell runs as they are."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from pipelines.adoption.init.advice import KEY_OUTPUT, KEY_VARIABLE, VARIABLES, next_steps
from pipelines.adoption.init.providers import CODEBUILD, GITHUB, PROVIDERS
from tests.adoption.init.copies import REPOSITORY
from tests.docs.pages import rows, section

FAKES = {
    # Answers as describe-stacks does with the query for one output and --output text.
    "aws": """
import json, os, re, sys
arguments = dict(zip(sys.argv[3::2], sys.argv[4::2]))
(output,) = re.findall(r"Stacks\\[0\\]\\.Outputs\\[\\?OutputKey=='(\\w+)'\\]\\.OutputValue", arguments["--query"])
assert sys.argv[1:3] == ["cloudformation", "describe-stacks"] and arguments["--output"] == "text"
assert (arguments["--stack-name"], os.environ.get("AWS_DEFAULT_REGION")) == ("STACK", "eu-west-1")
print(json.loads(os.environ["OUTPUTS"]).get(output, ""))
""",
    "gh": """
import json, sys
action, variable, flag, value = sys.argv[2:]
assert sys.argv[1] == "variable" and action == "set" and flag == "--body"
print(json.dumps([variable, value]))
""",
    "git": "",
    "run-pipeline": "",
}


@pytest.fixture
def fakes(tmp_path: Path) -> Path:
    """A folder of programs that stand for those that the lines call."""
    for name, source in FAKES.items():
        (tmp_path / f"{name}.py").write_text(source)
        (tmp_path / name).write_text(f'#!/bin/bash\nexec /usr/bin/env python3 "{tmp_path / name}.py" "$@"\n')
        (tmp_path / name).chmod(0o755)
    return tmp_path


def type_all(lines: list[str], fakes: Path, outputs: dict[str, str]) -> dict[str, str]:
    """Type the lines into a shell and return the variables that they set."""
    environment = {**os.environ, "PATH": f"{fakes}{os.pathsep}{os.environ['PATH']}", "OUTPUTS": json.dumps(outputs)}
    environment.pop("AWS_DEFAULT_REGION", None)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


def test_the_variables_of_github_get_the_outputs_of_the_stack(fakes: Path) -> None:
    lines = list(next_steps(GITHUB, "run-pipeline --local", "eu-west-1"))
    outputs = {output: f"the {output}" for output in (*VARIABLES.values(), KEY_OUTPUT)}
    wanted = {**VARIABLES, KEY_VARIABLE: KEY_OUTPUT}
    assert type_all(lines, fakes, outputs) == {variable: outputs[output] for variable, output in wanted.items()}


def test_a_key_that_was_not_made_is_no_variable(fakes: Path) -> None:
    lines = list(next_steps(GITHUB, "run-pipeline --local", "eu-west-1"))
    outputs = {output: f"the {output}" for output in VARIABLES.values()}
    assert KEY_VARIABLE not in type_all(lines, fakes, outputs)


def test_codebuild_needs_no_variables(fakes: Path) -> None:
    assert type_all(list(next_steps(CODEBUILD, "run-pipeline --local", None)), fakes, {}) == {}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_run_on_this_machine_comes_first(provider: str) -> None:
    assert next(next_steps(provider, "run-pipeline --local", None)) == "run-pipeline --local"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_page_that_is_named_is_there(provider: str) -> None:
    named = re.findall(r"[\w./-]+\.md", "\n".join(next_steps(provider, "run-pipeline", None)))
    assert named
    assert [name for name in named if not (REPOSITORY / name).is_file()] == []


def test_the_variables_are_those_of_the_documentation() -> None:
    documented = {
        name for row in rows(section("docs/github.md", "Set-up")) for name in re.findall(r"`([A-Z_]+)`", row[0])
    }
    assert {*VARIABLES, KEY_VARIABLE} <= documented
    roles = {name for name in documented if name.endswith("_ROLE_ARN")}
    assert roles <= set(VARIABLES), "without its role nothing runs"


def test_the_outputs_are_those_of_the_template() -> None:
    outputs = (REPOSITORY / "project-template" / "template.yml").read_text().partition("\nOutputs:\n")[2]
    for output, variable in {output: variable for variable, output in VARIABLES.items()}.items():
        assert re.search(
            rf"^  {output}:\n(?:    Condition: \w+\n)?    Description: {variable}$", outputs, re.MULTILINE
        ), output
    assert f"  {KEY_OUTPUT}:\n" in outputs
