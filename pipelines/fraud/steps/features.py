"""From raw rows to what XGBoost reads: the CSV reader and the encoding of training and inference."""

import csv
import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from columns import Column, DataError

Matrix = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


def encode(columns: Iterable[Column], table: pa.Table) -> pa.Table:
    """Return the columns as numbers: category codes, float32 quantities, int64 ids; an empty cell stays null.

    Texts stay what they are: those of an open category, of a label with a positive value, and of an id of that type.
    Raises DataError at the first value that its column does not allow.
    """
    encoders: dict[str, Callable[[Column, pa.Array], pa.Array]] = {"category": _categories, "id": _ids, "label": _label}
    return pa.table({c.name: encoders.get(c.kind, _quantity)(c, table[c.name].combine_chunks()) for c in columns})


def encode_matrix(columns: Sequence[Column], table: pa.Table) -> Matrix:
    """Return features as the (rows, columns) array that XGBoost reads: what `matrix` makes of `encode`, only sooner."""
    values = np.empty((table.num_rows, len(columns)), np.float32)
    quantities = [position for position, column in enumerate(columns) if column.kind != "category"]
    numbers = np.empty((table.num_rows, len(quantities)))
    empty = np.zeros(numbers.shape, np.bool_)
    for position, column in enumerate(columns):
        if column.kind == "category":
            codes, rows = _codes(column, table[column.name].combine_chunks())
            values[:, position] = np.array([*codes, np.nan], np.float32)[rows]
    for place, position in enumerate(quantities):
        array = table[columns[position].name].combine_chunks()
        numbers[:, place] = array.to_numpy(zero_copy_only=False)
        empty[:, place] = _empty(array) if array.null_count else False
    values[:, quantities] = check_quantities([columns[position] for position in quantities], numbers, empty)
    return values


def _categories(column: Column, texts: pa.Array) -> pa.Array:
    if column.is_open:
        return texts
    codes, rows = _codes(column, texts)
    return pa.array([*codes, None], column.code_type).take(pa.array(rows))


def _codes(column: Column, texts: pa.Array) -> tuple[list[int], npt.NDArray[np.int32]]:
    """Return the codes of the distinct texts, and which one each row has; an empty cell has the one after the last."""
    coded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    distinct = coded.dictionary.to_pylist()
    rows = coded.indices.fill_null(len(distinct)).to_numpy() if coded.null_count else coded.indices.to_numpy()
    for number, text in enumerate(distinct):
        if text not in column.codes:
            _refuse(column, text, rows == number, "is not a known category")
    return [column.codes[text] for text in distinct], rows


def _quantity(column: Column, values: pa.Array) -> pa.Array:
    empty = _empty(values)
    numbers = values.to_numpy(zero_copy_only=False)
    return pa.array(check_quantities([column], numbers[:, None], empty[:, None])[:, 0], mask=empty)


def check_quantities(columns: Sequence[Column], values: Numbers, empty: Mask) -> Matrix:
    """Return (rows, columns) numbers as float32, NaN where a cell is empty; raises DataError at one not allowed."""
    fine = (values >= [column.minimum for column in columns]) & (values <= [column.maximum for column in columns])
    fine &= (np.floor(values) == values) | np.array([column.kind != "integer" for column in columns], np.bool_)
    fine |= empty
    if not fine.all():
        position = int(np.argmin(fine.all(axis=0)))
        value = float(values[int(np.argmin(fine[:, position])), position])
        _refuse(columns[position], f"{value:g}", ~fine[:, position], _fault(columns[position], value))
    return values.astype(np.float32)


def _fault(column: Column, value: float) -> str:
    if not np.isfinite(value):
        return "is not finite"
    return "is not whole" if column.kind == "integer" and not value.is_integer() else "is out of range"


def _ids(column: Column, values: pa.Array) -> pa.Array:
    if values.null_count:
        _refuse(column, "", _empty(values), "is empty")
    return values


def _label(column: Column, values: pa.Array) -> pa.Array:
    if column.positive is not None:
        return _ids(column, values)
    labels = values.to_numpy(zero_copy_only=False)
    bad = (labels != 0) & (labels != 1)
    if bad.any():
        row = int(np.argmax(bad))
        _refuse(column, f"{labels[row]:g}" if values[row].is_valid else "", bad, "is not a label")
    return pa.array(labels.astype(np.int8))


def _empty(values: pa.Array) -> Mask:
    empty: Mask = values.is_null().to_numpy(zero_copy_only=False)
    return empty


def _refuse(column: Column, shown: str, bad: Mask, why: str) -> NoReturn:
    raise DataError(f"{shown!r} {why}; allowed: {column.allowed}", column=column.name, row=int(np.argmax(bad)))


def read_csv(
    source: Path | bytes, columns: Sequence[Column], *, names: Sequence[str] | None = None, others: Sequence[str] = ()
) -> pa.Table:
    """Read one CSV file with exactly these columns, in any order; `None` is text, an empty cell is null.

    names: the columns' names when the file has no header line. others: columns that may be there and are left out.
    Raises DataError with the column and row of the first cell that cannot be read.
    """
    header = list(names) if names else read_header(source)
    check_names(header, [column.name for column in columns], others)
    try:
        return _arrow_csv(source, {c.name: c.csv_type for c in columns}, names=names)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        _check_utf8(source, names)
        _check_widths(source, header, names)
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
    except csv.Error as error:
        raise DataError(f"not readable as CSV: {error}", row=-1) from error


def check_names(header: Sequence[str], columns: Sequence[str], others: Sequence[str] = ()) -> None:
    """Raise DataError unless each of the columns is there, none twice, and no further one but the others."""
    found, allowed = set(header), {*columns, *others}
    for name in columns:
        if name not in found:
            raise DataError(f"is missing; found: {', '.join(header)}", column=name)
    for name in header:
        if name not in allowed:
            raise DataError(f"is not in the schema; allowed: {', '.join([*columns, *others])}", column=name)
    if len(found) < len(header):
        raise DataError(f"stands there twice; found: {', '.join(header)}", column=first_repeated(header))


def first_repeated(names: Sequence[str]) -> str:
    """Return the first name that stands there more than once."""
    return next(name for name in names if names.count(name) > 1)


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


def _check_utf8(source: Path | bytes, names: Sequence[str] | None) -> None:
    data = _bytes(source)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) - (names is None)
        raise _not_utf8(data[error.start], row=row) from error


def _not_utf8(byte: int, *, row: int) -> DataError:
    return DataError(f"byte 0x{byte:02x} is not UTF-8; allowed: CSV saved as UTF-8", row=row)


def _check_widths(source: Path | bytes, header: Sequence[str], names: Sequence[str] | None) -> None:
    # Arrow skips lines without anything on them, too.
    rows = filter(None, csv.reader(io.StringIO(_bytes(source).decode("utf-8-sig"), newline="")))
    try:
        for row, cells in enumerate(rows, start=0 if names else -1):
            if len(cells) != len(header):
                raise DataError(f"{len(cells)} cells; allowed: {len(header)}, one for each column", row=row)
    except csv.Error as error:
        raise DataError(f"not readable as CSV: {error}") from error


def _bytes(source: Path | bytes) -> bytes:
    return source if isinstance(source, bytes) else source.read_bytes()


def _check_cells(source: Path | bytes, columns: Sequence[Column], *, names: Sequence[str] | None) -> None:
    quantities = [column for column in columns if column.kind != "category"]
    try:
        texts = _arrow_csv(source, {c.name: pa.string() for c in quantities}, names=names, threads=False)
    except pa.ArrowInvalid as error:
        # Arrow's text names the row.
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
