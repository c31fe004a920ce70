"""Raw tables as files have them, CSV or Parquet: encoded for a model, or some of their rows as text."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from columns import Column, DataError
from features import check_names, encode, read_csv

Positions = npt.NDArray[np.int32]
Cells = Mapping[str, list[str]]
FORMATS = ("csv", "parquet")


def read_table(folder: Path, name: str, columns: Sequence[Column], drop: Sequence[str] = ()) -> pa.Table:
    """Read and encode the table's files (name*.csv or name*.parquet), in the order of their names.

    drop: columns that may be there and are left out.
    """
    files = _find(folder, name)
    table = pa.concat_tables([_read_file(file, columns, drop) for file in files]).unify_dictionaries()
    if not table.num_rows:
        raise DataError(f"{', '.join(file.name for file in files)}: no rows; give at least one")
    return table


def _find(folder: Path, name: str) -> list[Path]:
    found = {form: sorted(folder.glob(f"{name}*.{form}")) for form in FORMATS}
    files = [file for form in FORMATS for file in found[form]]
    if not files:
        there = ", ".join(sorted(file.name for file in folder.glob("*"))) or "nothing"
        raise DataError(f"{folder}: no file {name}*.csv and no {name}*.parquet; found: {there}")
    if all(found.values()):
        raise DataError(f"table {name} in two formats: {', '.join(file.name for file in files)}; give one of them")
    return files


def _read_file(file: Path, columns: Sequence[Column], drop: Sequence[str]) -> pa.Table:
    is_csv = file.suffix == ".csv"
    try:
        return encode(columns, (_read_csv if is_csv else _read_parquet)(file, columns, drop))
    except DataError as error:
        # The header of a CSV is line 1, so row 0 is line 2.
        row = None if error.row is None else f"line {error.row + 2}" if is_csv else f"row {error.row + 1}"
        raise DataError(f"{file.name if row is None else f'{file.name}, {row}'}: {error}") from error


def _read_csv(file: Path, columns: Sequence[Column], drop: Sequence[str]) -> pa.Table:
    return read_csv(file, columns, others=drop)


def _read_parquet(file: Path, columns: Sequence[Column], drop: Sequence[str]) -> pa.Table:
    """Read one Parquet file as `read_csv` reads one with the same cells."""
    try:
        with pq.ParquetFile(file) as parquet:
            check_names(parquet.schema_arrow.names, [column.name for column in columns], drop)
            table = parquet.read([column.name for column in columns])
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"not readable as Parquet: {' '.join(str(error).split())}") from error
    return pa.table({column.name: _convert(column, table[column.name]) for column in columns})


def _convert(column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    plain, kind = _plain(column, values), column.csv_type
    if pa.types.is_dictionary(kind):
        return plain.cast(pa.string()).dictionary_encode()
    try:
        # Whole numbers of more than 53 bits are rounded, as those of a CSV are.
        return plain.cast(kind, safe=not pa.types.is_floating(kind))
    except pa.ArrowInvalid as error:
        row = next(row for row in range(len(plain)) if not _casts(plain.slice(row, 1), kind))
        problem = f"'{plain[row]}' is not a number; allowed: {column.allowed}"
        raise DataError(problem, column=column.name, row=row) from error


def _casts(value: pa.ChunkedArray, kind: pa.DataType) -> bool:
    try:
        value.cast(kind, safe=not pa.types.is_floating(kind))
    except pa.ArrowInvalid:
        return False
    return True


def _plain(column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return Parquet's values as numbers or texts; no text is a missing value, as an empty cell of a CSV is."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _plain(column, values.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = values.cast(pa.string())
        return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    if pa.types.is_boolean(kind):
        return values.cast(pa.string() if pa.types.is_dictionary(column.csv_type) else pa.int8())
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        if not pa.types.is_null(kind):
            raise DataError(f"holds {kind}; allowed: numbers, texts, true and false", column=column.name)
        return values.cast(pa.string())
    return values


def read_cells(folder: Path, name: str, columns: Sequence[Column], positions: Positions) -> Cells:
    """Return these columns' cells as the table's files have them, as text, in the rows at the positions.

    The files are read no further than the last of the rows.
    """
    if not columns:
        return {}
    order = np.argsort(positions, kind="stable")
    taken = _take(_batches(_find(folder, name), columns), positions[order])
    # Files of one table may have a column in several types.
    texts = pa.concat_tables(pa.table({c.name: _texts(c, rows[c.name]) for c in columns}) for rows in taken)
    texts = texts.take(pa.array(np.argsort(order, kind="stable")))
    return {column.name: texts[column.name].to_pylist() for column in columns}


def _take(batches: Iterator[pa.RecordBatch], positions: Positions) -> Iterator[pa.Table]:
    """Yield the rows at ascending positions."""
    start = taken = 0
    for batch in batches:
        past = int(np.searchsorted(positions, start + batch.num_rows))
        yield pa.table(batch.take(pa.array(positions[taken:past] - start)))
        start, taken = start + batch.num_rows, past
        if taken == len(positions):
            return


def _batches(files: Sequence[Path], columns: Sequence[Column]) -> Iterator[Any]:
    names = [column.name for column in columns]
    convert = pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=names)
    for file in files:
        if file.suffix == ".csv":
            with pa_csv.open_csv(file, convert_options=convert) as stream:
                yield from stream
        else:
            with pq.ParquetFile(file) as parquet:
                yield from parquet.iter_batches(columns=names)


def _texts(column: Column, values: pa.ChunkedArray) -> pa.Array:
    plain = _plain(column, values)
    if pa.types.is_dictionary(column.csv_type):
        plain = plain.cast(pa.string())
    return pa.array(["" if value is None else str(value) for value in plain.to_pylist()], pa.string())
