"""What docs/server.md says is so."""

import re
import shlex
from pathlib import Path

import pytest

from pipelines.local.callers.origin import check_origin
from pipelines.local.server import PATIENCE_SECONDS
from pipelines.sagemaker_local import DEFAULT_PORT, main
from tests.local.server.conftest import Aws

PAGE = Path(__file__).parents[3] / "docs" / "server.md"


def test_the_examples_run(aws: Aws) -> None:
    commands = re.findall(r"^\$ (aws .*)$", PAGE.read_text(), re.MULTILINE)
    assert len(commands) == 6
    (aws.folder / "README.md").write_text("text")
    printed = [aws(*shlex.split(command)[1:]) for command in commands]
    assert "README.md" in printed[2]
    assert "000000000000" in printed[3]


def test_the_line_is_the_one_that_is_printed(aws: Aws) -> None:
    line = next(line for line in PAGE.read_text().splitlines() if line.startswith("export "))
    shown = dict(assignment.split("=", 1) for assignment in line.split()[1:])
    made = {name: aws._environment[name] for name in shown}
    assert shown == made | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{DEFAULT_PORT}"}


def test_every_option_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    text = PAGE.read_text()
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert options >= {"--port", "--local-root"}
    for option in options:
        assert f"`{option}" in text or f", `{option}`" in text


def test_the_numbers_and_names_are_right() -> None:
    text = PAGE.read_text()
    assert f"{DEFAULT_PORT} unless given" in text
    assert f"for {PATIENCE_SECONDS:.0f} seconds" in text
    for host in re.findall(r"`(my-data\.[a-z0-9.]+)`", text):
        check_origin({"host": host}, DEFAULT_PORT)
