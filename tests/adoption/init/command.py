"""init-project in a copy of this repository."""

from dataclasses import dataclass

import pytest

from pipelines.init_project import main
from tests.adoption.init.copies import Copy


@dataclass(frozen=True)
class Done:
    code: int
    output: str
    error: str

    @property
    def changes(self) -> str:
        """What it says before it says what is next."""
        return self.output.partition("\nnext:\n")[0]


class Command:
    """`init-project` in the root folder of a copy."""

    def __init__(self, copy: Copy, capsys: pytest.CaptureFixture[str]) -> None:
        self.copy = copy
        self._capsys = capsys

    def call(self, *arguments: str) -> Done:
        code = main(arguments)
        said = self._capsys.readouterr()
        return Done(code, said.out, said.err)

    def do(self, *arguments: str) -> Done:
        done = self.call(*arguments)
        assert (done.code, done.error) == (0, "")
        return done

    def refuse(self, *arguments: str) -> tuple[int, str]:
        """Call what must fail with one line and change nothing."""
        before = self.copy.files()
        done = self.call(*arguments)
        (line,) = done.error.splitlines()
        assert (done.output, self.copy.files()) == ("", before)
        return done.code, line.partition("init-project: error: ")[2]
