"""A first schema.json for data of one's own: tables, kinds of columns and what to leave out, read off the files."""

import argparse
import itertools
import json
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pipelines.delivery.settings import SettingsError

Document = dict[str, Any]
Tables = Mapping[str, pa.Table]

# As many as Preprocess learns.
MAX_CATEGORIES = 256
FORMATS = ("csv", "parquet")
ID_NAME = re.compile(r"(?i:(^|[^a-z])(id|key|uuid|guid|index|unnamed: 0)|^)$|[a-z]I[dD]$")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}([./-])[0-9]{1,2}\2[0-9]{2,4})([T ][0-9]{2}:[0-9]{2}.*)?")
LEADING_ZERO = re.compile(r"[+-]?0[0-9]+")
AS_AN_ID = "has another value in each row, as an id has"
POSITIVE_WORDS = ("yes", "y", "true", "t", "positive", "pos")


class DraftError(ValueError):
    """Data that no schema can be drafted for, in one line."""


@dataclass(frozen=True)
class Draft:
    """A schema document, and what was decided in it that a person should look at."""

    document: Document
    notes: tuple[str, ...]


def tried_draft(folder: Path, label: str, *, id: str | None = None, drop: Collection[str] = ()) -> Draft:  # noqa: A002 - the schema's word
    """Return the draft of a schema that Preprocess takes the data with; DraftError says what prevents it."""
    # Who reads the settings fails with them, which is to be told in one line.
    from pipelines.fraud.trial import TrialError, try_out  # noqa: PLC0415

    found = draft(folder, label, id=id, drop=drop)
    try:
        return Draft(found.document, (*found.notes, *try_out(render(found.document), folder)))
    except TrialError as error:
        raise DraftError(str(error)) from error


def draft(folder: Path, label: str, *, id: str | None = None, drop: Collection[str] = ()) -> Draft:  # noqa: A002 - as above
    """Return what is read off the CSV or Parquet files of a folder, whatever Preprocess will say to it."""
    tables = _read_tables(folder)
    home = _home_of(label, tables)
    key = id or _common_key(tables, label)
    for name, table in tables.items():
        _check_key(key, name, table)
    notes: list[str] = []
    found = {name: _describe(table, label, key, drop, notes) for name, table in tables.items()}
    left_out = [column["name"] for columns in found.values() for column in columns if column["kind"] == "drop"]
    # What is left out of one table may be in none.
    kept = {name: [column for column in columns if column["name"] not in left_out] for name, columns in found.items()}
    if not any(column["kind"] not in ("id", "label") for columns in kept.values() for column in columns):
        raise DraftError("; ".join(["no column is left to predict the label from", *notes]))
    _type_ids(kept, [table[key] for table in tables.values()] if key else [])
    # The table with the label comes first: its rows' order is that of the test set.
    ordered = {home: kept.pop(home), **kept}
    document: Document = {"id": key} if key else {}
    document |= {"label": label, "drop": list(dict.fromkeys(left_out)), "tables": ordered}
    if not left_out:
        del document["drop"]
    return Draft(document, tuple(notes))


def render(document: Document) -> str:
    """Return the text of schema.json: one line for each column."""
    members = [
        f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in document.items()
        if name != "tables"
    ]
    tables = [
        f"    {json.dumps(name, ensure_ascii=False)}: [\n"
        + ",\n".join(f"      {json.dumps(column, ensure_ascii=False)}" for column in columns)
        + "\n    ]"
        for name, columns in document["tables"].items()
    ]
    return "{\n" + ",\n".join([*members, '  "tables": {\n' + ",\n".join(tables) + "\n  }"]) + "\n}\n"


def _read_tables(folder: Path) -> dict[str, pa.Table]:
    """Return all tables by name; files with the same columns are one table, called by what their names begin with."""
    if not folder.is_dir():
        raise DraftError(f"{folder} is not a folder: give one with *.csv or *.parquet files")
    files = sorted(file for form in FORMATS for file in folder.glob(f"*.{form}") if not file.name.startswith("."))
    if not files:
        raise DraftError(f"{folder}: no *.csv and no *.parquet; give the folder with the data")
    groups: dict[frozenset[str], list[tuple[Path, pa.Table]]] = {}
    for file in files:
        table = _read(file)
        groups.setdefault(frozenset(table.column_names), []).append((file, table))
    tables: dict[str, pa.Table] = {}
    for group in groups.values():
        names = [file for file, _ in group]
        name = _table_name(names, tables)
        tables[name] = _concatenate(names, [table for _, table in group])
    return tables


def _concatenate(files: Sequence[Path], parts: Sequence[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(parts, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        shown = ", ".join(file.name for file in files)
        raise DraftError(f"{shown}: one column has two types: {' '.join(str(error).split())}") from error


def _read(file: Path) -> pa.Table:
    try:
        if file.suffix == ".parquet":
            table = _without_empty_texts(pq.read_table(file))
        else:
            with file.open("rb") as stream:
                names = pa_csv.open_csv(stream).schema.names
            convert = pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            )
            table = pa_csv.read_csv(file, convert_options=convert)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise DraftError(f"{file.name}: not readable: {' '.join(str(error).split())}") from error
    if repeated := sorted({name for name in table.column_names if table.column_names.count(name) > 1}):
        raise DraftError(f"{file.name}: column {repeated[0]!r} stands there twice; give each a name of its own")
    return table


def _without_empty_texts(table: pa.Table) -> pa.Table:
    """Return Parquet's rows with no text as a missing value, as an empty cell of a CSV is."""
    for position, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            texts = table.column(position).cast(pa.string())
            filled = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
            table = table.set_column(position, field.name, filled)
    return table


def _table_name(files: Sequence[Path], others: Iterable[str]) -> str:
    stems = [file.stem for file in files]
    name = stems[0] if len(stems) == 1 else _common_start(stems).rstrip("0123456789 _-.")
    shown = ", ".join(file.name for file in files)
    if len({file.suffix for file in files}) > 1:
        raise DraftError(f"{shown}: the same table in two formats; give one of them")
    if not name:
        raise DraftError(f"{shown}: the same columns, but no name in common; begin their names with the table's")
    for other in others:
        if name.startswith(other) or other.startswith(name):
            raise DraftError(f"tables {other!r} and {name!r}: one name begins with the other; rename the files")
    return name


def _common_start(names: Sequence[str]) -> str:
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in alike)


def _home_of(label: str, tables: Tables) -> str:
    homes = [name for name, table in tables.items() if label in table.column_names]
    if not homes:
        there = ", ".join(dict.fromkeys(column for table in tables.values() for column in table.column_names))
        raise DraftError(f"label {label!r}: no such column; found: {there}")
    if len(homes) > 1:
        raise DraftError(f"label {label!r} stands in {' and '.join(homes)}; leave it in one table")
    return homes[0]


def _common_key(tables: Tables, label: str) -> str | None:
    if len(tables) == 1:
        return None
    common = set.intersection(*(set(table.column_names) for table in tables.values())) - {label}
    if len(common) != 1:
        found = f"they share {', '.join(sorted(common))}" if common else "they share no column"
        raise DraftError(f"tables {', '.join(tables)} need a key to be joined by, and {found}: name one (--id)")
    return str(common.pop())


def _check_key(key: str | None, name: str, table: pa.Table) -> None:
    if key is None:
        return
    if key not in table.column_names:
        raise DraftError(f"id {key!r} is not in table {name}; found: {', '.join(table.column_names)}")
    _check_type(f"id {key!r} of table {name}", table[key])
    if table[key].null_count or len(pc.unique(table[key].cast(pa.string()))) < table.num_rows:
        raise DraftError(f"id {key!r} is empty or repeated in table {name}; allowed: another value in each row")


def _check_type(what: str, values: pa.ChunkedArray) -> None:
    if not _kind_of(values):
        raise DraftError(f"{what} holds {values.type}; allowed: numbers, texts, true and false")


def _type_ids(tables: Mapping[str, Sequence[dict[str, Any]]], ids: Sequence[pa.ChunkedArray]) -> None:
    """Add the type to ids that are not whole numbers in each of the tables."""
    if not all(_kind_of(values) == "integer" and _casts(values.cast(pa.string()), pa.int64()) for values in ids):
        for column in itertools.chain(*tables.values()):
            if column["kind"] == "id":
                column["type"] = "text"


def _describe(
    table: pa.Table, label: str, key: str | None, drop: Collection[str], notes: list[str]
) -> list[dict[str, Any]]:
    """Return the entries of a table's columns; the kind `drop` is for those to be left out."""
    entries: list[dict[str, Any]] = []
    for name in table.column_names:
        if name == label:
            entries.append(_label_entry(name, table[name], notes))
        elif name == key:
            entries.append({"name": name, "kind": "id"})
        elif name in drop:
            entries.append({"name": name, "kind": "drop"})
        else:
            reason = _reason_to_drop(name, table[name])
            kind = "drop" if reason else _kind_of(table[name])
            if reason:
                notes.append(f"column {name!r} {reason}: it is left out (drop)")
            elif doubt := _doubt(table[name], kind):
                notes.append(f"column {name!r} {doubt}")
            entries.append({"name": name, "kind": kind})
    return entries


def _label_entry(name: str, values: pa.ChunkedArray, notes: list[str]) -> dict[str, Any]:
    if values.null_count:
        raise DraftError(f"label {name!r}: {values.null_count} cells are empty; leave those rows out")
    _check_type(f"label {name!r}", values)
    counts = {each["values"]: each["counts"] for each in pc.value_counts(values.cast(pa.string())).to_pylist()}
    if len(counts) != 2:
        some = ", ".join(sorted(counts)[:5])
        raise DraftError(f"label {name!r} has {len(counts)} values ({some}); allowed: two, one of them positive")
    numbers = {float(text): text for text in counts} if _casts(pa.array(counts), pa.float64()) else {}
    if numbers.keys() == {0, 1}:
        return {"name": name, "kind": "label"}
    positive, why = _positive(counts, numbers)
    notes.append(f"label {name!r}: {positive!r} is taken for positive, {why}")
    return {"name": name, "kind": "label", "positive": positive}


def _positive(counts: Mapping[str, int], numbers: Mapping[float, str]) -> tuple[str, str]:
    """Return which of two values of a label is the positive one, and why."""
    if numbers.keys() == {-1, 1}:
        return numbers[1], "by its sign"
    known = [text for text in counts if text.lower() in POSITIVE_WORDS]
    if len(known) == 1:
        return known[0], "by its name"
    return min(counts, key=lambda text: (counts[text], text)), "the rarer one"


def _reason_to_drop(name: str, values: pa.ChunkedArray) -> str:
    """Return why a column is no feature, or nothing."""
    kind = _kind_of(values)
    if not kind:
        return f"holds {values.type}"
    if values.null_count == len(values):
        return "is empty"
    return _reason_by_values(name, values, kind) or ("" if name else "has no name")


def _reason_by_values(name: str, values: pa.ChunkedArray, kind: str) -> str:
    if kind == "number":
        return ""
    distinct = pc.unique(values.drop_null()).to_pylist()
    if kind == "category":
        return _reason_against(distinct, len(values))
    return AS_AN_ID if len(distinct) == len(values) > 1 and _counts(name, [int(value) for value in distinct]) else ""


def _reason_against(texts: Sequence[object], rows: int) -> str:
    """Return why distinct texts are no categories, or nothing."""
    if all(DATE.fullmatch(str(text)) for text in texts):
        return "holds dates"
    strays = _strays(texts)
    if len(texts) > MAX_CATEGORIES and len(strays) < len(texts) / 2:
        return f"has texts among its numbers ({', '.join(strays[:3])}; an empty cell is a missing value)"
    if len(texts) == rows > 1:
        return AS_AN_ID
    if len(texts) > MAX_CATEGORIES:
        return f"has {len(texts)} different texts, and a category has {MAX_CATEGORIES} at most"
    return ""


def _strays(texts: Sequence[object]) -> list[str]:
    return [repr(text) for text in texts if not NUMBER.fullmatch(str(text))]


def _doubt(values: pa.ChunkedArray, kind: str) -> str:
    """Return what a person may know better about a column that is kept, or nothing."""
    if kind not in ("integer", "category") or pa.types.is_integer(values.type):
        return ""
    texts = pc.unique(values.drop_null()).to_pylist()
    if kind == "integer" and any(isinstance(text, str) and LEADING_ZERO.fullmatch(text) for text in texts):
        return "has numbers that begin with 0: it is taken for an integer; if they are codes, make it a category"
    strays = _strays(texts)
    if kind == "category" and 0 < len(strays) < len(texts) / 2:
        shown = ", ".join(strays[:3])
        return f"has texts among its numbers ({shown}): it is taken for a category; empty cells would make it a number"
    return ""


def _counts(name: str, distinct: Sequence[int]) -> bool:
    """Say whether distinct whole numbers only number the rows, by the column's name or by leaving no gap."""
    return bool(ID_NAME.search(name)) or max(distinct) - min(distinct) + 1 == len(distinct)


def _kind_of(values: pa.ChunkedArray) -> str:
    """Return `integer`, `number` or `category`; nothing for what is none of them, such as a date."""
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_boolean(kind):
        return "category"
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        return ""
    texts = pc.unique(values.cast(pa.string()).drop_null())
    if not _casts(texts, pa.float64()):
        return "category"
    return "integer" if _casts(texts, pa.int64()) else "number"


def _casts(texts: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> bool:
    try:
        return bool(pc.all(pc.is_finite(texts.cast(kind)), min_count=0).as_py())
    except pa.ArrowInvalid:
        return False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Draft a schema as the command line says."""
    parser = _Parser(description="Draft the schema.json of CSV or Parquet files.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the files")
    parser.add_argument("--label", required=True, help="column that is to be predicted; it has two values")
    parser.add_argument("--id", help="column that several tables are joined by")
    parser.add_argument("--drop", action="append", default=[], help="column to leave out; may be given again")
    parser.add_argument("--output", type=Path, help="file to write; standard output unless given")
    options = parser.parse_args(arguments)
    try:
        found = tried_draft(options.data, options.label, id=options.id, drop=options.drop)
        _write(render(found.document), options.output)
    except (DraftError, SettingsError) as error:
        sys.stderr.write(f"{parser.prog}: error: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{parser.prog}: error: {error.filename or options.output}: {error.strerror}\n")
        return 1
    sys.stderr.writelines(f"{note}\n" for note in found.notes)
    return 0


def _write(text: str, file: Path | None) -> None:
    if file is None:
        sys.stdout.write(text)
        return
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


if __name__ == "__main__":
    sys.exit(main())
