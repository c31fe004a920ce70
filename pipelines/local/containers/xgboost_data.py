"""Reads the data channels of XGBoost as a built-in algorithm: CSV, libsvm and Parquet.

Standalone: it runs beside `xgboost_algorithm.py`, where this package is not installed.
"""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from pipelines.local.containers.xgboost_hyperparameters import UserError
else:
    # The folder of the script is on the path, this package is not.
    from xgboost_hyperparameters import UserError

Array = np.ndarray[Any, Any]

FORMATS = {
    "csv": "csv",
    "text/csv": "csv",
    "libsvm": "libsvm",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "parquet": "parquet",
    "application/x-parquet": "parquet",
}
RECORDIO = ("recordio-protobuf", "application/x-recordio-protobuf")
DELIMITERS = ",;\t| "
MISSING = ["", "nan", "NaN", "NA", "null", "NULL"]


@dataclass(frozen=True)
class Examples:
    """Rows to learn from: `features` is a matrix of 32-bit floats, dense or sparse; NaN is a missing value."""

    features: Any
    labels: Array
    weights: Array | None = None
    groups: Array | None = None


def format_of(content_type: str | None) -> str:
    """Return the format that a channel's content type stands for: csv, libsvm (also if there is none) or parquet.

    Raises:
        UserError: the algorithm does not take it, or this machine does not.
    """
    kind, _, parameters = (content_type or "text/libsvm").lower().partition(";")
    if kind.strip() in RECORDIO:
        raise UserError(
            f"ContentType {kind.strip()} is not read on this machine; use text/csv or application/x-parquet"
        )
    if kind.strip() not in FORMATS:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(FORMATS)}")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if FORMATS[kind.strip()] == "csv" and name.strip() == "label_size" and value.strip() != "1":
            raise UserError(f"{content_type} is not an accepted csv ContentType: label_size must be equal to 1")
    return FORMATS[kind.strip()]


def read_channel(folder: Path, content_type: str | None, *, csv_weights: bool = False) -> Examples:
    """Read all files of a channel; with `csv_weights` the second column of CSV is the weight of the row.

    Raises:
        UserError: there are no data, or they are not what the content type says.
    """
    data_format = format_of(content_type)
    files = _data_files(folder)
    if data_format == "libsvm":
        return _read_libsvm(files, folder)
    read: Callable[[Path], pa.Table] = _read_csv if data_format == "csv" else _read_parquet
    table = _concatenate([(file, read(file)) for file in files], folder)
    weighted = data_format == "csv" and csv_weights
    return _dense_examples(table, folder, weighted=weighted)


def _data_files(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    hidden = [file.name for file in files if file.name.startswith(".")]
    if hidden:
        raise UserError(f"Hidden file found in the data path! Remove that before training: {folder.name}/{hidden[0]}")
    # Names that begin with an underscore are the marks of the tool that wrote the data, such as _SUCCESS.
    files = [file for file in files if not file.name.startswith("_") and file.stat().st_size]
    if not files:
        raise UserError(f"No data in {folder.name} channel path {folder}")
    return files


def _read_csv(file: Path) -> pa.Table:
    with file.open(newline="", encoding="utf-8", errors="replace") as stream:
        first_line = stream.readline()
    delimiter = _delimiter(first_line, file)
    fields = next(csv.reader([first_line], delimiter=delimiter))
    text = next((value for value in fields if not _is_number(value)), None)
    if text is not None:
        raise UserError(
            f"First line '{first_line.strip()[:50]}' of file '{file.name}' has '{text[:50]}' in place of a number; "
            "text/csv has no header line, its first column is the label, and all columns are numbers"
        )
    names = [f"f{index}" for index in range(len(fields))]
    try:
        return pa.csv.read_csv(
            file,
            read_options=pa.csv.ReadOptions(column_names=names),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.float32()), null_values=MISSING, quoted_strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid as error:
        raise UserError(f"Failed to load csv data of file '{file.name}': {str(error).splitlines()[0]}") from error


def _delimiter(line: str, file: Path) -> str:
    counts = {delimiter: line.strip().count(delimiter) for delimiter in DELIMITERS}
    best = max(counts, key=counts.__getitem__)
    if not counts[best]:
        raise UserError(
            f"Could not determine delimiter on line '{line.strip()[:50]}' of file '{file.name}'; a label and at least "
            "one feature must stand there, with a comma between them"
        )
    return best


def _is_number(text: str) -> bool:
    if text.strip() in MISSING:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_parquet(file: Path) -> pa.Table:
    try:
        table = pa.parquet.read_table(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"Failed to load parquet data of file '{file.name}': {str(error).splitlines()[0]}") from error
    metadata = table.schema.pandas_metadata or {}
    table = table.drop_columns([name for name in metadata.get("index_columns", []) if isinstance(name, str)])
    for column in table.schema:
        kind = column.type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            raise UserError(f"Column '{column.name}' of file '{file.name}' is {kind}; all columns must be numbers")
    return table


def _concatenate(tables: list[tuple[Path, pa.Table]], folder: Path) -> pa.Table:
    (first_file, first), *others = tables
    for file, table in others:
        if table.column_names != first.column_names:
            raise UserError(
                f"Files of the {folder.name} channel differ: '{file.name}' has {table.num_columns} columns "
                f"({', '.join(table.column_names)[:100]}), '{first_file.name}' has {first.num_columns} "
                f"({', '.join(first.column_names)[:100]})"
            )
    schema = pa.schema([(name, pa.float32()) for name in first.column_names])
    # Unsafe, because whole numbers may lose digits: XGBoost's own numbers have 32 bits.
    return pa.concat_tables([table.cast(schema, safe=False) for _, table in tables])


def _dense_examples(table: pa.Table, folder: Path, *, weighted: bool) -> Examples:
    first_feature = 2 if weighted else 1
    if not table.num_rows:
        raise UserError(f"No data in {folder.name} channel path {folder}: there are columns, but no rows")
    if table.num_columns <= first_feature:
        raise UserError(f"Data of the {folder.name} channel have {table.num_columns} columns, and so no feature")
    features = np.empty((table.num_rows, table.num_columns - first_feature), dtype=np.float32)
    for index in range(features.shape[1]):
        features[:, index] = table.column(first_feature + index).to_numpy()
    weights = table.column(1).to_numpy() if weighted else None
    return Examples(features, _checked_labels(table.column(0).to_numpy(), folder), weights)


def _checked_labels(labels: Array, folder: Path) -> Array:
    wrong = int(np.count_nonzero(~np.isfinite(labels)))
    if wrong:
        raise UserError(f"Got input data without labels: {wrong} of {len(labels)} rows of the {folder.name} channel")
    return labels


@dataclass
class _SparseRows:
    """The rows of libsvm files as they are read."""

    labels: array[float] = field(default_factory=lambda: array("f"))
    weights: array[float] = field(default_factory=lambda: array("f"))
    groups: array[int] = field(default_factory=lambda: array("l"))
    values: array[float] = field(default_factory=lambda: array("f"))
    indices: array[int] = field(default_factory=lambda: array("i"))
    ends: array[int] = field(default_factory=lambda: array("q", [0]))

    def add(self, line: str) -> None:
        """Add a row `<label>[:<weight>] [qid:<group>] <index>:<value> ...`; a ValueError means that it is none."""
        label, *pairs = line.split()
        label, _, weight = label.partition(":")
        self.labels.append(float(label))
        self.weights.append(float(weight or 1))
        if pairs and pairs[0].startswith("qid:"):
            self.groups.append(int(pairs.pop(0).removeprefix("qid:")))
        for pair in pairs:
            index, _, value = pair.partition(":")
            self.indices.append(_not_negative(int(index)))
            self.values.append(float(value))
        self.ends.append(len(self.values))


def _not_negative(index: int) -> int:
    if index < 0:
        raise ValueError(index)
    return index


def _read_libsvm(files: list[Path], folder: Path) -> Examples:
    rows = _SparseRows()
    for file in files:
        for number, line in _lines(file):
            try:
                rows.add(line)
            except (ValueError, OverflowError) as error:
                raise UserError(
                    f"Line {number} '{line[:50]}' of file '{file.name}' is not 'LIBSVM' format, which is "
                    "'<label>[:<weight>] <index>:<value> ...'; for CSV or Parquet set the channel's ContentType"
                ) from error
    if not rows.labels:
        raise UserError(f"No data in {folder.name} channel path {folder}: there are no rows")
    if rows.groups and len(rows.groups) != len(rows.labels):
        raise UserError(f"Some rows of the {folder.name} channel have a qid and some have none")
    columns = max(rows.indices, default=0) + 1
    features = csr_matrix((rows.values, rows.indices, rows.ends), shape=(len(rows.labels), columns), dtype=np.float32)
    return Examples(
        features,
        _checked_labels(np.asarray(rows.labels), folder),
        np.asarray(rows.weights) if not all(math.isclose(weight, 1) for weight in rows.weights) else None,
        np.asarray(rows.groups) if rows.groups else None,
    )


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    with file.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            content = line.partition("#")[0].strip()
            if content:
                yield number, content
