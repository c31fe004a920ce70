"""Drafts that are tried: Preprocess takes what is drafted, or its one line is the draft's, and nothing is written."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import preprocess
from columns import DataError
from pipelines.fraud import settings
from pipelines.fraud.drafting import DraftError, draft, main, render, tried_draft
from tests.fraud.scripts.own_data import files, passengers

ROWS = 300
NUMBERS = np.arange(ROWS)
IDS = [f"T-{number}" for number in NUMBERS]
LABELS = np.where(NUMBERS % 3 == 0, 1, 0)
SIZES = NUMBERS * 1.37 % 90
Tables = dict[str, pd.DataFrame | pa.Table | str]


def write(folder: Path, tables: Tables) -> Path:
    """Write CSV files of frames and of texts, and Parquet files of Arrow's tables."""
    folder.mkdir()
    for name, table in tables.items():
        if isinstance(table, pd.DataFrame):
            table.to_csv(folder / f"{name}.csv", index=False)
        elif isinstance(table, pa.Table):
            pq.write_table(table, folder / f"{name}.parquet")
        else:
            (folder / f"{name}.csv").write_text(table, encoding="utf-8")
    return folder


def with_column(values: Any, name: str = "x") -> Tables:
    """A table with a size, a column and a label."""
    return {"t": pd.DataFrame({"size": SIZES, name: values, "y": LABELS})}


def in_parquet(values: Any) -> Tables:
    """The same in Parquet."""
    return {"t": pa.table({"size": SIZES, "x": values, "y": LABELS})}


def joined(ids: Any, others: Any) -> Tables:
    """Two tables with keys of their own."""
    return {
        "a": pd.DataFrame({"key": ids, "y": LABELS[: len(ids)]}),
        "b": pd.DataFrame({"key": others, "size": SIZES[: len(others)]}),
    }


def only(row: int) -> list[str | None]:
    """A column with one text."""
    return [None if number != row else "rare" for number in NUMBERS]


TAKEN: dict[str, Tables] = {
    "a constant number": with_column(5),
    "a constant text": with_column("same"),
    "rows that are all the same": {"t": pd.DataFrame({"x": 1.5, "y": LABELS})},
    "six rows": {"t": pd.DataFrame({"x": [1.5, 2, 3, 4, 5, 6], "y": [0, 1] * 3})},
    "texts among numbers": with_column(np.where(NUMBERS % 9 == 0, "?", (NUMBERS % 50).astype(str))),
    "booleans": with_column(NUMBERS % 2 == 0),
    "huge whole numbers": with_column([10**30 + int(number) % 50 for number in NUMBERS]),
    "hexadecimal numbers": with_column([hex(number % 50) for number in NUMBERS]),
    "names with letters of all kinds": with_column(SIZES, "나이 größe, “😀”"),
    "a name with spaces around it": with_column(SIZES, " x "),
    "a column without a name": with_column(NUMBERS % 7, ""),
    "commas, quotes and lines in cells": with_column(np.where(NUMBERS % 2, "a, b", 'c "d"\ne')),
    "dates": with_column("2024-01-31"),
    "nothing in a column": with_column([None] * ROWS),
    "a file with a header only beside another": {"t-1": "size,y\n", "t-2": pd.DataFrame({"size": SIZES, "y": LABELS})},
    "lists, structs and bytes": {
        "t": pa.table(
            {"size": SIZES, "l": [[1]] * ROWS, "s": [{"a": 1}] * ROWS, "b": [b"z"] * ROWS, "y": LABELS},
        )
    },
    "unsigned numbers of 64 bits": in_parquet(
        pa.array([2**64 - 1 - 3 * int(number) for number in NUMBERS], pa.uint64())
    ),
    "numbers of 16 bits": in_parquet(pa.array(SIZES.astype(np.float16))),
    "no text in any row": in_parquet([""] * ROWS),
    "types that differ from file to file": {"t-1": in_parquet(NUMBERS % 50)["t"], "t-2": in_parquet(SIZES)["t"]},
    "keys in another order": joined(IDS, IDS[::-1]),
    "keys of 16 bits": {
        name: pa.table({"key": pa.array(NUMBERS.astype(np.float16)), **more})
        for name, more in {"a": {"y": LABELS}, "b": {"size": SIZES}}.items()
    },
    "keys of more than 64 bits": joined(
        [10**25 + int(number) for number in NUMBERS], [10**25 + int(n) for n in NUMBERS]
    ),
}


@pytest.mark.parametrize("tables", TAKEN.values(), ids=TAKEN)
def test_what_is_drafted_is_what_preprocess_takes(tables: Tables, tmp_path: Path) -> None:
    folder = write(tmp_path / "data", tables)
    schema_file = tmp_path / "schema.json"
    schema_file.write_text(render(tried_draft(folder, "y").document), encoding="utf-8")
    counts = preprocess.preprocess(folder, tmp_path / "out", seed=settings.SEED, schema_file=schema_file)
    assert min(counts.values()) >= 2


REFUSED: list[tuple[Tables, str]] = [
    (joined(IDS, IDS[:-5]), "column 'key': key T-295 (and 4 more) stands in a but not in b; allowed: one row for each"),
    (joined(IDS[:-1], IDS), "column 'key': key T-299 stands in b but not in a; allowed: one row for each key in every"),
    (joined(IDS, NUMBERS), "column 'key': key T-0 (and 299 more) stands in a but not in b; allowed: one row for each"),
    (joined([*NUMBERS[:-1], "01"], [*NUMBERS[:-1], "01"]), "column 'key': key 1 stands in a more than once; allowed: "),
    (
        {"t": pd.DataFrame({"x": SIZES, "y": NUMBERS < 2})},
        "2 of 300 rows have the label True; allowed: at least 3, one",
    ),
    (
        with_column(SIZES, "x[0]"),
        "schema.json: column 'x[0]': XGBoost takes no name with [, ] or <; rename it here and in",
    ),
    (
        with_column([f"{number}e39" for number in NUMBERS]),
        "t.csv, line 3: column 'x': '1e+39' is out of range; allowed: ",
    ),
    (
        in_parquet(np.where(NUMBERS == 4, np.inf, SIZES)),
        "t.parquet, row 5: column 'x': 'inf' is not finite; allowed: a",
    ),
    (in_parquet(pa.array(np.where(NUMBERS == 4, np.nan, SIZES))), "t.parquet, row 5: column 'x': 'nan' is not finite;"),
    (
        {"t*": with_column(1)["t"]},
        "schema.json: table 't*': files cannot be called so; give what their names begin with",
    ),
    (
        {"t": "size,y\r1.5,0\r2,1\r3,1\r"},
        "t.csv, line 1: not readable as CSV: new-line character seen in unquoted field",
    ),
    (
        {"a": pd.DataFrame({"key": IDS, "x": 1, "y": LABELS}), "b": pd.DataFrame({"key": IDS, "x": SIZES})},
        "schema.json: column 'x': stands in a and in b; name each once",
    ),
]


@pytest.mark.parametrize(("tables", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_preprocess_refuses_is_refused_in_its_words_and_nothing_is_written(
    tables: Tables, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, schema_file = write(tmp_path / "data", tables), tmp_path / "schema.json"
    before = files(tmp_path)
    key = ["--id", "key"] if len(tables) > 1 else []
    assert main(["--data", str(folder), "--label", "y", "--output", str(schema_file), *key]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.partition("error: ")[2].startswith(message)
    assert files(tmp_path) == before
    schema_file.write_text(render(draft(folder, "y", id="key" if key else None).document), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        preprocess.preprocess(folder, tmp_path / "out", seed=settings.SEED, schema_file=schema_file)
    assert " ".join(str(caught.value).split()) == line.partition("error: ")[2]


def test_what_preprocess_remarks_is_a_note_of_the_draft(tmp_path: Path) -> None:
    texts = [f"text {number % 200}" for number in NUMBERS]
    found = tried_draft(write(tmp_path / "data", with_column(texts)), "y")
    (note,) = found.notes
    assert note.startswith("column 'x': ")
    assert note.endswith(" cells hold no category of a training row, and count as missing")


def test_a_category_is_left_out_where_the_run_leaves_it_out(tmp_path: Path) -> None:
    said = "column 'x' is empty in all training rows, and is left out"
    trained, held_out = (tried_draft(write(tmp_path / str(row), with_column(only(row))), "y") for row in (1, 0))
    assert (trained.notes, held_out.notes) == ((), (said,))


def test_a_program_that_breaks_down_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = tmp_path / "steps"
    steps.mkdir()
    for name in settings.PREPROCESS.files:
        (steps / name).write_text("raise MemoryError('too\\nmuch')\n")
    monkeypatch.setattr(settings, "SCRIPTS", steps)
    with pytest.raises(DraftError, match=r"^preprocess\.py cannot read the data: [^\n]+$"):
        tried_draft(write(tmp_path / "data", {"t": passengers()}), "survived")
