"""The Preprocess job: raw tables in; encoded train, validation and test sets and some raw test rows out."""

import argparse
import csv
import hashlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from columns import DataError, Document, Schema, make_schema, read_document
from features import report_failure
from learning import binary_label, close, encode_learned, learn_categories
from raw_tables import Cells, Positions, read_cells, read_table
from splits import SPLITS, Keys, assign_splits, content_keys, id_keys

SCHEMA_FILE = Path(__file__).with_name("schema.json")
ROW_GROUP_ROWS = 131_072
LABELLED_ROWS = 10_000
Splits = npt.NDArray[np.int8]


def join(tables: Mapping[str, pa.Table], key: str) -> tuple[pa.Table, Keys, dict[str, Positions]]:
    """Join one row of each table for each key, in the first table's order.

    Returns the joined rows without the key, their keys as numbers, and where in each table each of them stands.
    """
    keys = {name: _unique_keys(table[key], key, name) for name, table in tables.items()}
    (first, joined), *others = tables.items()
    positions = {first: np.arange(joined.num_rows, dtype=np.int32)}
    joined = joined.drop_columns([key])
    for name, table in others:
        rows = _match(keys[first], keys[name], (tables[first][key], table[key]), (key, first, name))
        if np.array_equal(keys[first], keys[name]):
            positions[name] = positions[first]
        else:
            positions[name] = rows.astype(np.int32)
            table = table.take(pa.array(rows))  # noqa: PLW2901 - one table in another order
        for column in table.column_names:
            if column != key:
                joined = joined.append_column(column, table[column])
    return joined, keys[first], positions


def _unique_keys(ids: pa.ChunkedArray, key: str, name: str) -> Keys:
    keys = id_keys(ids)
    ordered = np.sort(keys)
    _refuse_keys(ordered[1:][ordered[1:] == ordered[:-1]], keys, ids, key, f"stands in {name} more than once")
    return keys


def _match(
    ours: Keys, theirs: Keys, ids: tuple[pa.ChunkedArray, pa.ChunkedArray], names: tuple[str, str, str]
) -> npt.NDArray[np.intp]:
    """Return where their table has each of our keys; each must have exactly those of the other."""
    key, our_name, their_name = names
    order = np.argsort(theirs, kind="stable")
    rows = order[np.minimum(np.searchsorted(theirs, ours, sorter=order), len(order) - 1)]
    _refuse_keys(ours[theirs[rows] != ours], ours, ids[0], key, f"stands in {our_name} but not in {their_name}")
    if len(ours) != len(theirs):
        alone = np.setdiff1d(theirs, ours)
        _refuse_keys(alone, theirs, ids[1], key, f"stands in {their_name} but not in {our_name}")
    return rows


def _refuse_keys(bad: Keys, keys: Keys, ids: pa.ChunkedArray, key: str, why: str) -> None:
    if len(bad):
        shown = ids[int(np.argmax(keys == bad[0]))]
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise DataError(f"{key} {shown}{more} {why}; allowed: one row for each {key} in every table", column=key)


def preprocess(input_dir: Path, output_dir: Path, *, seed: int, schema_file: Path | None = None) -> dict[str, int]:
    """Write the three sets and the schema below output_dir; return the sets' row counts.

    Of the rows, only those of the training set decide about anything: the categories that the schema does not list.
    """
    schema_file = schema_file or SCHEMA_FILE
    document = read_document(schema_file)
    schema = make_schema(document, schema_file.name)
    joined, keys, positions = _read(input_dir, schema)
    labels, names = binary_label(schema.label_column, joined[schema.label])
    joined = joined.set_column(0, schema.label, pa.array(labels))
    splits = assign_splits(labels, content_keys(joined) if keys is None else keys, seed, names=names)
    test = np.flatnonzero(splits == list(SPLITS).index("test"))[:LABELLED_ROWS]
    tested = {name: rows[test] for name, rows in positions.items()}
    # These have a number or two for each row, and the rest is what takes the most memory.
    del keys, positions
    joined, learned = _learn(joined, schema, splits)
    if learned:
        document = close(document, learned)
        schema = make_schema(document, schema_file.name)
    counts = {}
    for position, name in enumerate(SPLITS):
        rows = joined.filter(pa.array(splits == position))
        _write(rows, output_dir / name / f"{name}.parquet")
        counts[name] = rows.num_rows
    cells = _cells(input_dir, schema, tested, learned)
    _write_labelled(output_dir / "labelled" / "labelled.csv", labels[test], cells, schema)
    _write_schema(output_dir / "schema" / "schema.json", schema_file, document if learned else None)
    return counts


def _read(folder: Path, schema: Schema) -> tuple[pa.Table, Keys | None, dict[str, Positions]]:
    """Return all rows, the label first and then the features; their keys, if they have any; and their positions."""
    tables = {name: read_table(folder, name, columns, schema.drop) for name, columns in schema.tables.items()}
    keys: Keys | None = None
    if schema.id is None:
        ((name, joined),) = tables.items()
        positions = {name: np.arange(joined.num_rows, dtype=np.int32)}
    else:
        joined, keys, positions = join(tables, schema.id)
    return joined.select([schema.label, *schema.names]), keys, positions


def _learn(joined: pa.Table, schema: Schema, splits: Splits) -> tuple[pa.Table, dict[str, list[str]]]:
    """Return the rows with all categories as codes, and the categories that were learned."""
    training = splits == list(SPLITS).index("train")
    learned = {}
    for column in schema.features:
        if column.is_open:
            texts = learned[column.name] = learn_categories(column, joined[column.name], training)
            if not texts:
                print(f"column {column.name!r} is empty in all training rows, and is left out")
                joined = joined.drop_columns([column.name])
                continue
            codes = encode_learned(replace(column, categories=tuple(texts)), joined[column.name])
            if unseen := codes.null_count - joined[column.name].null_count:
                print(
                    f"column {column.name!r}: {unseen} cells hold no category of a training row, and count as missing"
                )
            joined = joined.set_column(joined.column_names.index(column.name), column.name, codes)
    return joined, learned


def _cells(folder: Path, schema: Schema, positions: Mapping[str, Positions], learned: Mapping[str, list[str]]) -> Cells:
    """Return the features of these rows as the files have them, but empty where they count as missing."""
    cells: dict[str, list[str]] = {}
    for name, columns in schema.tables.items():
        features = [column for column in columns if column.kind not in ("id", "label")]
        cells |= read_cells(folder, name, features, positions[name])
    for name in cells.keys() & learned.keys():
        known = set(learned[name])
        cells[name] = [text if text in known else "" for text in cells[name]]
    return cells


def _write_labelled(file: Path, labels: Splits, cells: Cells, schema: Schema) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([schema.label, *schema.names])
        writer.writerows(zip(labels.tolist(), *(cells[name] for name in schema.names), strict=True))
    partial.replace(file)


def _write_schema(file: Path, source: Path, changed: Document | None) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if changed is None:
        shutil.copyfile(source, file)
    else:
        file.write_text(json.dumps(changed, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def hash_files(folder: Path) -> str:
    """Return the SHA-256 of all files' names and contents, the one that uploaded data are called by in S3."""
    total = hashlib.sha256(b"files")
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name, path in sorted(paths.items()):
        with path.open("rb") as file:
            total.update(b"\0" + name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _write(table: pa.Table, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    pq.write_table(table, partial, row_group_size=ROW_GROUP_ROWS)
    partial.replace(file)


def _write_input_report(file: Path, sha256: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"sha256": sha256}))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input-dir", type=Path, default=Path("/opt/ml/processing/input/data"))
    parser.add_argument("--output-dir", type=Path, default=Path("/opt/ml/processing/output"))
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--message-file", type=Path, default=Path("/opt/ml/output/message"))
    options = parser.parse_args(arguments)
    try:
        with ThreadPoolExecutor(1) as beside:
            sha256 = beside.submit(hash_files, options.input_dir)
            counts = preprocess(options.input_dir, options.output_dir, seed=options.seed)
    except DataError as error:
        return report_failure(error, options.message_file)
    _write_input_report(options.output_dir / "input" / "input.json", sha256.result())
    print(", ".join(f"{name} {rows} rows" for name, rows in counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
