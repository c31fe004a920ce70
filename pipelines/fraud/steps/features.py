"""From raw claims to what XGBoost reads: the schema, the CSV reader and the encoding of training and inference."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

FLOAT32_MAX = float(np.finfo(np.float32).max)
Matrix = npt.NDArray[np.float32]


class DataError(ValueError):
    """Data that the schema does not allow, with its place: the column's name and the row's position, where known."""

    def __init__(self, problem: str, *, column: str | None = None, row: int | None = None) -> None:
        super().__init__(f"column {column!r}: {problem}" if column else problem)
        self.row = row


@dataclass(frozen=True)
class Column:
    """One column of a raw table: an `id`, a `label`, a `category`, an `integer` or a `number`."""

    name: str
    kind: str
    categories: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    minimum: float = -FLOAT32_MAX
    maximum: float = FLOAT32_MAX

    @property
    def csv_type(self) -> pa.DataType:
        """The type that a CSV file's cells are read as."""
        if self.kind == "category":
            return pa.dictionary(pa.int32(), pa.string())
        return pa.int64() if self.kind == "id" else pa.float64()

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        if self.kind == "category":
            return ", ".join([*self.categories, *self.aliases])
        if self.kind in ("id", "label"):
            return "a whole number" if self.kind == "id" else "0 or 1"
        limits = [f"at least {self.minimum:g}"] if self.minimum > -FLOAT32_MAX else []
        limits += [f"at most {self.maximum:g}"] if self.maximum < FLOAT32_MAX else []
        return " ".join(
            ["a whole number" if self.kind == "integer" else "a finite number", " and ".join(limits)]
        ).strip()


@dataclass(frozen=True)
class Schema:
    """The tables' columns, in the files' order."""

    tables: Mapping[str, tuple[Column, ...]]
    id: str
    label: str

    @property
    def features(self) -> tuple[Column, ...]:
        """The model's inputs: every column but ids and label, table by table."""
        return tuple(c for columns in self.tables.values() for c in columns if c.kind not in ("id", "label"))

    @property
    def names(self) -> list[str]:
        """The names of the features."""
        return [column.name for column in self.features]

    @property
    def types(self) -> list[str]:
        """XGBoost's feature types: c for a category, q for a quantity."""
        return ["c" if column.kind == "category" else "q" for column in self.features]


def load_schema(path: Path) -> Schema:
    """Read a schema file."""
    document = json.loads(path.read_text(encoding="utf-8"))
    tables = {name: tuple(_column(entry) for entry in columns) for name, columns in document["tables"].items()}
    return Schema(tables, document["id"], document["label"])


def _column(entry: dict[str, Any]) -> Column:
    return Column(**{**entry, "categories": tuple(entry.get("categories", ()))})


def encode(columns: Iterable[Column], table: pa.Table) -> pa.Table:
    """Return the columns as numbers: category codes (int8), float32 quantities, int64 ids; an empty cell stays null.

    Raises DataError at the first value that its column does not allow.
    """
    encoders: dict[str, Callable[[Column, pa.Array], pa.Array]] = {"category": _codes, "id": _ids, "label": _label}
    return pa.table({c.name: encoders.get(c.kind, _quantities)(c, table[c.name].combine_chunks()) for c in columns})


def _codes(column: Column, texts: pa.Array) -> pa.Array:
    # Only the few distinct texts are looked up; the rows are renumbered.
    coded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    position = {text: code for code, text in enumerate(column.categories)}
    position |= {alias: position[text] for alias, text in column.aliases.items()}
    distinct = coded.dictionary.to_pylist()
    for number, text in enumerate(distinct):
        if text not in position:
            _refuse(column, pc.equal(coded.indices, number), texts, "is not a known category")
    return pa.array([position.get(text) for text in distinct], pa.int8()).take(coded.indices)


def _quantities(column: Column, values: pa.Array) -> pa.Array:
    values = values.cast(pa.float64())
    if pc.all(pc.is_finite(values)).as_py() is False:
        _refuse(column, pc.invert(pc.is_finite(values)), values, "is not finite")
    if column.kind == "integer" and pc.all(pc.equal(pc.floor(values), values)).as_py() is False:
        _refuse(column, pc.not_equal(pc.floor(values), values), values, "is not whole")
    extremes = pc.min_max(values).as_py()
    if extremes["min"] is not None and not column.minimum <= extremes["min"] <= extremes["max"] <= column.maximum:
        outside = pc.or_(pc.less(values, column.minimum), pc.greater(values, column.maximum))
        _refuse(column, outside, values, "is out of range")
    return values.cast(pa.float32(), safe=False)


def _ids(column: Column, values: pa.Array) -> pa.Array:
    if values.null_count:
        _refuse(column, pc.is_null(values), values, "is empty")
    return values


def _label(column: Column, values: pa.Array) -> pa.Array:
    bad = pc.invert(pc.fill_null(pc.is_in(values, pa.array([0.0, 1.0])), False))
    if pc.any(bad).as_py():
        _refuse(column, bad, values, "is not a label")
    return values.cast(pa.int8())


def _refuse(column: Column, bad: pa.Array, values: pa.Array, why: str) -> NoReturn:
    row = pc.index(pc.fill_null(bad, False), True).as_py()
    value = values[row].as_py()
    shown = repr(f"{value:g}" if isinstance(value, float) else "" if value is None else value)
    raise DataError(f"{shown} {why}; allowed: {column.allowed}", column=column.name, row=row)


def read_csv(
    source: Path | bytes, columns: Sequence[Column], *, names: Sequence[str] | None = None, strict: bool = True
) -> pa.Table:
    """Read one CSV file with exactly these columns, in any order; `None` is text, an empty cell is null.

    names: the columns' names when the file has no header line. strict: refuse further columns.
    Raises DataError with the column and row of the first cell that cannot be read.
    """
    header = list(names) if names else read_header(source)
    check_names(header, columns, strict=strict)
    try:
        return _arrow_csv(source, {c.name: c.csv_type for c in columns}, names=names)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        _check_utf8(source)
        _check_cells(source, columns, names=names)
        raise DataError(f"not readable as CSV: {' '.join(str(error).split())}") from error


def read_header(source: Path | bytes) -> list[str]:
    """Return the cells of the first line."""
    lines = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    with lines:
        line = lines.readline()
    try:
        return next(csv.reader([line.decode("utf-8-sig")]), [])
    except UnicodeDecodeError as error:
        raise _not_utf8(line[error.start], row=-1) from error


def check_names(header: Sequence[str], columns: Sequence[Column], *, strict: bool = True) -> None:
    """Raise DataError unless each of the columns is there exactly once and, when strict, no other."""
    known = [column.name for column in columns]
    for name in known:
        if header.count(name) != 1:
            raise DataError(
                f"{'stands there twice' if name in header else 'is missing'}; found: {', '.join(header)}", column=name
            )
    for name in header if strict else ():
        if name not in known:
            raise DataError(f"is not in the schema; allowed: {', '.join(known)}", column=name)


def _arrow_csv(
    source: Path | bytes, types: Mapping[str, pa.DataType], *, names: Sequence[str] | None, threads: bool = True
) -> pa.Table:
    convert = pa_csv.ConvertOptions(
        column_types=types, include_columns=list(types), null_values=[""], strings_can_be_null=True
    )
    with pa.BufferReader(source) if isinstance(source, bytes) else pa.OSFile(str(source)) as stream:
        return pa_csv.read_csv(
            stream,
            read_options=pa_csv.ReadOptions(column_names=names, use_threads=threads),
            convert_options=convert,
        )


def _check_utf8(source: Path | bytes) -> None:
    data = source if isinstance(source, bytes) else source.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(data[error.start], row=data.count(b"\n", 0, error.start) - 1) from error


def _not_utf8(byte: int, *, row: int) -> DataError:
    return DataError(f"byte 0x{byte:02x} is not UTF-8; allowed: CSV saved as UTF-8", row=row)


def _check_cells(source: Path | bytes, columns: Sequence[Column], *, names: Sequence[str] | None) -> None:
    quantities = [column for column in columns if column.kind != "category"]
    try:
        texts = _arrow_csv(source, {c.name: pa.string() for c in quantities}, names=names, threads=False)
    except pa.ArrowInvalid as error:
        # Arrow's text names the row and its number of cells.
        raise DataError(f"not readable as CSV: {' '.join(str(error).split())}") from error
    for column in quantities:
        for row, text in enumerate(texts[column.name].to_pylist()):
            if text is not None and not _parses(text, column):
                raise DataError(f"{text!r} is not a number; allowed: {column.allowed}", column=column.name, row=row)


def _parses(text: str, column: Column) -> bool:
    try:
        pa.array([text]).cast(column.csv_type)
    except pa.ArrowInvalid:
        return False
    return True


def matrix(table: pa.Table, names: Sequence[str]) -> Matrix:
    """Return encoded columns as the (rows, columns) array that XGBoost reads; null becomes NaN, which means missing."""
    values = np.empty((table.num_rows, len(names)), dtype=np.float32)
    for position, name in enumerate(names):
        values[:, position] = table[name].to_numpy()
    return values


def roc_auc(labels: npt.NDArray[np.bool_], scores: Matrix) -> float:
    """Return the area under the ROC curve: how often a positive scores above a negative, ties counting half.

    NaN when one of the classes is missing.
    """
    negatives, positives = np.sort(scores[~labels]), scores[labels]
    if not len(negatives) or not len(positives):
        return float("nan")
    below = np.searchsorted(negatives, positives, "left").sum(dtype=np.int64)
    below_or_tied = np.searchsorted(negatives, positives, "right").sum(dtype=np.int64)
    return float(below + below_or_tied) / (2.0 * len(negatives) * len(positives))


def report_failure(error: Exception, file: Path) -> int:
    """Say why the job failed, on stderr and in the file that SageMaker shows as its message; return the exit code."""
    line = " ".join(str(error).split())
    print(line, file=sys.stderr)
    # Outside a container there is no /opt/ml to write to.
    if file.parent.parent.is_dir():
        file.parent.mkdir(exist_ok=True)
        file.write_text(line, encoding="utf-8")
    return 1
