"""init-project with data: a schema is drafted once, and is the team's own from then on."""

import re
from pathlib import Path

import pytest

from tests.adoption.init.command import Command
from tests.adoption.init.copies import SCHEMA, SETTINGS, copy_to


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    copy = copy_to(tmp_path / "copy 사본")
    monkeypatch.chdir(copy.root)
    return Command(copy, capsys)


@pytest.fixture
def data(command: Command) -> Path:
    """Data of another kind, in the copy: a number, a category and a label in words."""
    rows = (f"{number / 2},{'red' if number % 3 else 'blue'},{'no' if number % 4 else 'yes'}" for number in range(40))
    command.copy.write("data/cells.csv", "\n".join(["size,colour,spread", *rows]) + "\n")
    command.copy.commit()
    return command.copy.root / "data"


def test_the_schema_is_drafted_from_the_data(command: Command, data: Path) -> None:
    done = command.do("--name", "cells", "--data", "data", "--label", "spread")
    assert command.copy.schema == {
        "label": "spread",
        "tables": {
            "cells": [
                {"name": "size", "kind": "number"},
                {"name": "colour", "kind": "category"},
                {"name": "spread", "kind": "label", "positive": "yes"},
            ]
        },
    }
    assert command.copy.settings["model_description"] == "Probability of spread."
    assert command.copy.settings["input_data"] == "data"
    said = [line.strip() for line in done.changes.partition(f"change {SCHEMA}\n")[2].splitlines()]
    assert said[0] == "drafted from data; look through it"
    assert "label 'spread': 'yes' is taken for positive, by its name" in said
    assert re.search(r"run.pipeline --local\n", done.output)


def test_the_same_data_change_nothing_again_and_own_words_stay(command: Command, data: Path) -> None:
    flags = ("--name", "cells", "--data", "data", "--label", "spread")
    command.do(*flags)
    command.copy.write(SETTINGS, command.copy.settings | {"model_description": "Ours."})
    assert command.do(*flags).changes == "nothing was changed: all of this is so already\n"
    assert command.copy.settings["model_description"] == "Ours."


def test_data_elsewhere_are_no_default_and_named_in_what_is_next(command: Command, data: Path) -> None:
    elsewhere = data.rename(command.copy.root.parent / "my data")
    done = command.do("--name", "cells", "--data", str(elsewhere), "--label", "spread")
    assert command.copy.settings["input_data"] is None
    assert f"--local --input-data '{elsewhere}'\n" in done.output


CELLS = ("--name", "cells", "--data", "data", "--label", "spread")


def test_a_draft_that_was_edited_since_stays_although_git_could_bring_it_back(command: Command, data: Path) -> None:
    command.do(*CELLS)
    edited = command.copy.schema
    edited["tables"]["cells"][0]["minimum"] = 0
    command.copy.write(SCHEMA, edited)
    command.copy.commit()
    before = command.copy.files()
    keep = f"keep {SCHEMA}: it is your own by now; --redraft replaces it by a draft\n"
    assert command.do(*CELLS).changes == f"{keep}nothing was changed: all else is so already\n"
    assert command.do(*CELLS, "--threshold", "0.9").changes.startswith(f"{keep}change {SETTINGS}\n  roc_auc_threshold")
    assert command.copy.files().items() - before.items() == {(SETTINGS, (command.copy.root / SETTINGS).read_bytes())}


def test_a_schema_of_ones_own_is_replaced_when_that_is_asked(command: Command, data: Path) -> None:
    own = command.copy.schema
    own["tables"]["claims"][1]["aliases"] = {}
    command.copy.write(SCHEMA, own)
    command.copy.commit()
    assert command.do(*CELLS).changes.startswith(f"keep {SCHEMA}: ")
    assert command.copy.schema == own
    command.do(*CELLS, "--redraft")
    assert list(command.copy.schema["tables"]) == ["cells"]
    assert command.do(*CELLS).changes == "nothing was changed: all of this is so already\n"


@pytest.mark.parametrize("redraft", [(), ("--redraft",)])
def test_a_schema_that_git_does_not_have_is_not_lost(command: Command, data: Path, redraft: tuple[str, ...]) -> None:
    command.copy.git("rm", "--quiet", "--cached", SCHEMA)
    code, line = command.refuse(*CELLS, *redraft)
    assert code == 2
    assert line == f"--data: git does not have {SCHEMA} as on disk and could not bring them back; commit first"


def test_columns_that_are_to_be_no_features_are_left_out(command: Command, data: Path) -> None:
    rows = ["zip,age,size,colour,spread"]
    rows += [f"{n % 9},{n % 7},{n / 2},{'red' if n % 3 else 'blue'},{'no' if n % 4 else 'yes'}" for n in range(40)]
    command.copy.write("data/cells.csv", "\n".join(rows) + "\n")
    command.do(*CELLS, "--drop", "zip", "--drop", "colour")
    assert command.copy.schema["drop"] == ["zip", "colour"]
    assert [column["name"] for column in command.copy.schema["tables"]["cells"]] == ["age", "size", "spread"]


@pytest.mark.parametrize("flags", [(), ("--dry-run",), ("--data", "data", "--label", "spread")])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "schema.json: not JSON: Expecting property name"),
        ('{"label": "fraud", "tables": {}}', "schema.json: tables has none; give one at least"),
    ],
)
def test_a_schema_that_cannot_be_used_is_told_and_nothing_is_changed(
    command: Command, data: Path, flags: tuple[str, ...], text: str, message: str
) -> None:
    command.copy.write(SCHEMA, text)
    code, line = command.refuse("--name", "cells", *flags)
    assert (code, message in line) == (1, True), line


def test_a_schema_that_is_missing_is_told_and_drafted_from_data(command: Command, data: Path) -> None:
    (command.copy.root / SCHEMA).unlink()
    code, line = command.refuse("--name", "cells", "--dry-run")
    assert code == 1
    assert f"{SCHEMA}: No such file or directory; take the file from the repository again, or draft one" in line
    command.do(*CELLS)
    assert command.copy.schema["label"] == "spread"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--data", "data", "--label", "shape"), "--data data: label 'shape': no such column; found: size, colour, sp"),
        (("--data", "data", "--label", "size"), "--data data: label 'size' has 40 values"),
        (("--data", "nowhere", "--label", "spread"), "--data nowhere: nowhere is not a folder"),
        (("--data", "data", "--label", "spread", "--id", "key"), "--data data: id 'key' is not in table cells"),
        (
            ("--data", "data", "--label", "spread", "--drop", "size", "--drop", "shape"),
            "--drop shape: no such column can be left out; found: colour",
        ),
        (
            ("--data", "data", "--label", "spread", "--drop", "spread"),
            "--drop spread: no such column can be left out; found: size, colour",
        ),
    ],
)
def test_data_without_a_schema_change_nothing(
    command: Command, data: Path, flags: tuple[str, ...], message: str
) -> None:
    assert data.is_dir()
    code, line = command.refuse("--name", "cells", *flags)
    assert code == 2
    assert line.startswith(message)
