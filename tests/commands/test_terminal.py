"""What a command needs of the terminal and of whoever sits there: an encoding, an output, and Ctrl-C at any time."""

import os
import signal
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from pipelines.command_line import typed_name
from tests.local.documents import definition, register

REPOSITORY = Path(__file__).parents[2]
REGISTER = definition(register("Register", "fraud", "s3://bucket/model.tar.gz"))
SCRIPTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]
INTERRUPTED_AT = """
import os, sys
class Interrupter:
    def find_spec(self, name, *_):
        if name == {name!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Interrupter())
from pipelines.programs import run_pipeline
sys.argv[1:] = ["--local", "--definition", "register.json"]
sys.exit(run_pipeline())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "register.json").write_text(REGISTER)
    return tmp_path


def call(folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_letters_that_the_terminal_has_not_do_not_fail_the_run(folder: Path) -> None:
    command = (sys.executable, "-m", "pipelines.run_pipeline", "--local", "--definition", "register.json")
    done = call(folder, *command, "--local-root", "한국", LC_ALL="POSIX", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\ud55c\uad6d/logs" in done.stdout


@pytest.mark.parametrize("module", ["pipelines.run_pipeline", "pipelines.get_pipeline_definition"])
def test_a_closed_output_is_told_before_anything_is_made(folder: Path, module: str) -> None:
    done = call(folder, "sh", "-c", f'"{sys.executable}" -m {module} --local >&-')
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.endswith(": error: standard output is closed: send it to a file, or to /dev/null")
    assert [path.name for path in folder.iterdir()] == ["register.json"]


def test_without_an_error_output_the_exit_code_still_tells(folder: Path) -> None:
    done = call(folder, "sh", "-c", f'"{sys.executable}" -m pipelines.run_pipeline --bogus 2>&-')
    assert (done.returncode, done.stdout) == (2, "")


def test_a_command_beside_the_one_that_runs_is_named_and_quoted_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    tools = tmp_path / "my tools"
    tools.mkdir()
    for name in ("run-pipeline", "approve-model"):
        (tools / name).touch()
    monkeypatch.setattr(sys, "argv", [str(tools / "run-pipeline")])
    assert typed_name("run-pipeline") == "'my tools/run-pipeline'"
    assert typed_name("approve-model") == "'my tools/approve-model'"
    assert typed_name("deploy-model") == "python -m pipelines.deploy_model"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["pipelines.run_pipeline", "pipelines.run_flags", "pipelines.local.boto_session"])
def test_an_interrupt_before_there_is_a_run_is_told_in_one_line(
    folder: Path, name: str, number: signal.Signals
) -> None:
    done = call(folder, sys.executable, "-c", INTERRUPTED_AT.format(name=name, number=int(number)))
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "run-pipeline: error: interrupted\n"


@pytest.mark.parametrize("command", SCRIPTS)
def test_an_installed_command_is_the_program_of_its_name(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    module, _, name = SCRIPTS[command].partition(":")
    monkeypatch.setattr(sys, "argv", [command, "--bogus"])
    try:
        assert getattr(import_module(module), name)() == 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert f"(see {command} --help)" in capsys.readouterr().err
