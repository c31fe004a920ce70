"""The AWS CLI itself, in this process, so that it speaks to the account of the test."""

import io
import shlex
from contextlib import redirect_stdout
from importlib import import_module


def carry_out(command: str) -> None:
    """Type a command that was printed; it must be one that the CLI knows and the account takes."""
    words = shlex.split(command)
    assert words[0] == "aws"
    # It has no types.
    driver = import_module("awscli.clidriver").create_clidriver()
    # What it answers is not what the test's own command says.
    with redirect_stdout(io.StringIO()):
        assert driver.main([*words[1:], "--output", "json"]) == 0, command
