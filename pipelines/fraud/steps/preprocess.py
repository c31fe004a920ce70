"""The Preprocess job: claims and customers in; encoded train, validation and test sets and some raw test rows out."""

import argparse
import csv
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from features import Column, DataError, Schema, encode, load_schema, read_csv, report_failure

SCHEMA_FILE = Path(__file__).with_name("schema.json")
SPLITS = {"train": 0.6, "validation": 0.2, "test": 0.2}
ROW_GROUP_ROWS = 131_072
LABELLED_ROWS = 10_000


def read_table(folder: Path, name: str, columns: Sequence[Column]) -> pa.Table:
    """Read and encode the table's files (name*.csv), in the order of their names."""
    files = _files(folder, name)
    if not files:
        there = ", ".join(sorted(file.name for file in folder.glob("*"))) or "nothing"
        raise DataError(f"{folder}: no file {name}*.csv; found: {there}")
    table = pa.concat_tables([_read_file(file, columns) for file in files])
    if not table.num_rows:
        raise DataError(f"{', '.join(file.name for file in files)}: no rows; give at least one policy")
    return table


def _files(folder: Path, name: str) -> list[Path]:
    return sorted(folder.glob(f"{name}*.csv"))


def _read_file(file: Path, columns: Sequence[Column]) -> pa.Table:
    try:
        return encode(columns, read_csv(file, columns))
    except DataError as error:
        # The header is line 1, so row 0 is line 2.
        place = file.name if error.row is None else f"{file.name}, line {error.row + 2}"
        raise DataError(f"{place}: {error}") from error


def join(claims: pa.Table, customers: pa.Table, key: str) -> pa.Table:
    """Join one claim with one customer a policy, in the claims' order."""
    claim_ids, customer_ids = (
        _unique_ids(table, key, name) for table, name in ((claims, "claims"), (customers, "customers"))
    )
    order = np.argsort(customer_ids, kind="stable")
    rows = order[np.minimum(np.searchsorted(customer_ids, claim_ids, sorter=order), len(order) - 1)]
    _refuse_ids(claim_ids[customer_ids[rows] != claim_ids], key, "stands in claims but not in customers")
    if len(claim_ids) != len(customer_ids):
        alone = np.setdiff1d(customer_ids, claim_ids)
        _refuse_ids(alone, key, "stands in customers but not in claims")
    if not np.array_equal(claim_ids, customer_ids):
        customers = customers.take(pa.array(rows))
    for name in customers.column_names:
        if name != key:
            claims = claims.append_column(name, customers[name])
    return claims.drop_columns([key])


def _unique_ids(table: pa.Table, key: str, name: str) -> npt.NDArray[np.int64]:
    ids: npt.NDArray[np.int64] = table[key].to_numpy()
    ordered = np.sort(ids)
    _refuse_ids(ordered[1:][ordered[1:] == ordered[:-1]], key, f"stands in {name} more than once")
    return ids


def _refuse_ids(ids: npt.NDArray[np.int64], key: str, why: str) -> None:
    if len(ids):
        more = f" (and {len(ids) - 1} more)" if len(ids) > 1 else ""
        raise DataError(f"{key} {ids[0]}{more} {why}; allowed: one row a policy in both tables", column=key)


def assign_splits(labels: npt.NDArray[np.int8], ids: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int8]:
    """Return each row's position in SPLITS: by a hash of seed and id, so that the files' order does not matter."""
    splits = np.empty(len(labels), dtype=np.int8)
    for label in (0, 1):
        rows = np.flatnonzero(labels == label)
        if len(rows) < len(SPLITS):
            raise DataError(
                f"{len(rows)} of {len(labels)} policies have the label {label}; "
                f"allowed: at least {len(SPLITS)}, one each for {', '.join(SPLITS)}"
            )
        rows = rows[np.argsort(_hash(ids[rows], seed), kind="stable")]
        held_out = [max(1, round(len(rows) * share)) for share in list(SPLITS.values())[1:]]
        bounds = np.cumsum([len(rows) - sum(held_out), *held_out])
        splits[rows] = np.searchsorted(bounds, np.arange(len(rows)), side="right")
    return splits


def _hash(ids: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.uint64]:
    # SplitMix64: the same on every platform and in every version of numpy, unlike numpy's own shuffles.
    mixed = ids.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def preprocess(input_dir: Path, output_dir: Path, *, seed: int, schema: Schema | None = None) -> dict[str, int]:
    """Write the three sets and the schema below output_dir; return the sets' row counts.

    The categories' codes are the schema's, and trees need neither scaling nor imputation, so nothing is fitted here.
    """
    schema = schema or load_schema(SCHEMA_FILE)
    claims, customers = (read_table(input_dir, name, schema.tables[name]) for name in ("claims", "customers"))
    ids: npt.NDArray[np.int64] = claims[schema.id].to_numpy()
    joined = join(claims, customers, schema.id).select([schema.label, *schema.names])
    splits = assign_splits(joined[schema.label].to_numpy(), ids, seed)
    counts = {}
    for position, name in enumerate(SPLITS):
        rows = joined.filter(pa.array(splits == position))
        _write(rows, output_dir / name / f"{name}.parquet")
        counts[name] = rows.num_rows
    test = np.flatnonzero(splits == list(SPLITS).index("test"))[:LABELLED_ROWS]
    labels = joined[schema.label].to_numpy()[test]
    _write_labelled(output_dir / "labelled" / "labelled.csv", labels, read_cells(input_dir, schema, ids[test]), schema)
    (output_dir / "schema").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SCHEMA_FILE, output_dir / "schema" / "schema.json")
    return counts


def read_cells(folder: Path, schema: Schema, ids: npt.NDArray[np.int64]) -> pa.Table:
    """Return the features of these policies as the files have them, as text, in the order of the ids."""
    cells: dict[str, pa.ChunkedArray] = {}
    for name, columns in schema.tables.items():
        names = [column.name for column in columns if column.kind not in ("id", "label")]
        rows = pa.concat_tables(_find(_files(folder, name), schema.id, names, ids))
        found: npt.NDArray[np.int64] = rows[schema.id].to_numpy()
        order = np.argsort(found)
        rows = rows.take(pa.array(order[np.searchsorted(found, ids, sorter=order)]))
        cells |= {column: rows[column] for column in names}
    return pa.table(cells)


def _find(files: Sequence[Path], key: str, names: Sequence[str], ids: npt.NDArray[np.int64]) -> Iterator[pa.Table]:
    """Yield the rows of these ids, and read no further than the last of them."""
    wanted, missing = pa.array(ids), len(ids)
    types = {key: pa.int64(), **dict.fromkeys(names, pa.string())}
    convert = pa_csv.ConvertOptions(column_types=types, include_columns=list(types))
    for batch in _batches(files, convert):
        rows = pa.table(batch).filter(pc.is_in(batch[key], wanted))
        missing -= rows.num_rows
        yield rows
        if not missing:
            return


def _batches(files: Sequence[Path], convert: pa_csv.ConvertOptions) -> Iterator[pa.RecordBatch]:
    for file in files:
        with pa_csv.open_csv(file, convert_options=convert) as stream:
            yield from stream


def _write_labelled(file: Path, labels: npt.NDArray[np.int8], cells: pa.Table, schema: Schema) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([schema.label, *schema.names])
        writer.writerows(zip(labels.tolist(), *(cells[name].to_pylist() for name in schema.names), strict=True))
    partial.replace(file)


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
    print(", ".join(f"{name} {rows} policies" for name, rows in counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
