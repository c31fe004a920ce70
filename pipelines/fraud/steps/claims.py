"""Raw claims as a request brings them, CSV or JSON, turned into what the model reads.

A raw claim has the schema's columns by name, table by table: as a CSV line below a header, or as a JSON object. The id,
the label and what the schema drops may be there and are left out; no other column may. A CSV without a header has the
columns in the schema's order, without the label; the id stands in its first place or nowhere.
"""

import json
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from columns import FLOAT32_MAX, Column, DataError, Schema
from features import (
    Matrix,
    check_names,
    check_quantities,
    encode_matrix,
    first_repeated,
    read_csv,
    read_header,
)

Claim = Mapping[str, Any]
# Arrow reads a large CSV the fastest, but waking its threads takes longer than all the rest of a small one.
SMALL_BYTES = 32_768
# Without quotes a CSV's cells are what stands between the commas; and only Python takes 1_000 for a number.
PLAIN = bytes(set(range(ord(" "), ord("~") + 1)) - set(b'"_')) + b"\n"
# bool is an int in Python, but true is no number of witnesses.
NUMBERS = {int, float, type(None)}


class UnsupportedTypeError(ValueError):
    """A content type, of a request or an answer, that there is nothing for."""


def read(body: bytes, content_type: str, schema: Schema) -> Matrix:
    """Return the body's claims as (claims, features); raises DataError naming the claim and column that are wrong."""
    match media_type(content_type):
        case "text/csv":
            read_claims = _read_csv
        case "application/json":
            read_claims = _read_json
        case other:
            raise UnsupportedTypeError(f"content type {other!r} is not supported; allowed: text/csv, application/json")
    if not body.strip():
        raise DataError("the body is empty; give at least one row")
    try:
        return read_claims(body, schema)
    except DataError as error:
        if error.row is None:
            raise
        raise DataError(f"{'the first line' if error.row < 0 else f'row {error.row + 1}'}: {error}") from error


def media_type(header: str) -> str:
    """Return a content type without its parameters."""
    return header.partition(";")[0].strip().lower()


def _read_csv(data: bytes, schema: Schema) -> Matrix:
    columns = list(dict.fromkeys(column.name for table in schema.tables.values() for column in table))
    first = read_header(data)
    names = None if set(first) & set(columns) else _names(len(first), columns, schema)
    check_names(names or first, schema.names, schema.others)
    if names is None and b"\n" not in data.strip():
        raise DataError("no rows below the header; give at least one")
    cells = _split(data, names or first, header=names is None)
    matrix = _encode_plain(schema, cells, "") if cells else None
    if matrix is None:
        table = read_csv(data, schema.features, names=names, others=schema.others)
        matrix = encode_matrix(schema.features, table)
    return matrix


def _split(data: bytes, names: Sequence[str], *, header: bool) -> dict[str, tuple[str, ...]] | None:
    """Return the cells of each column of a small and plain CSV, or None."""
    if len(data) > SMALL_BYTES:
        return None
    lines = data.replace(b"\r\n", b"\n")
    if header:
        lines = lines.partition(b"\n")[2]
    if lines.translate(None, PLAIN):
        return None
    rows = [line.split(",") for line in lines.decode().split("\n") if line]
    return dict(zip(names, zip(*rows, strict=True), strict=True)) if set(map(len, rows)) == {len(names)} else None


def _encode_plain(schema: Schema, cells: Mapping[str, Sequence[Any]], empty: str | None) -> Matrix | None:
    """Return cells as `encode_matrix` does, but without Arrow; or None when there is one to take a closer look at."""
    quantities = [position for position, column in enumerate(schema.features) if column.kind != "category"]
    values = np.empty((len(cells[schema.names[0]]), len(schema.features)), np.float32)
    numbers = np.empty((len(values), len(quantities)))
    blank = np.zeros(numbers.shape, np.bool_)
    try:
        for position, column in enumerate(schema.features):
            if column.kind == "category":
                codes: dict[Any, float] = {**column.codes, empty: np.nan}
                values[:, position] = list(map(codes.__getitem__, cells[column.name]))
        for place, position in enumerate(quantities):
            found = cells[schema.names[position]]
            if empty in found:
                blank[:, place] = [cell == empty for cell in found]
                found = [np.nan if cell == empty else cell for cell in found]
            numbers[:, place] = list(map(float, found))
    except (KeyError, OverflowError, TypeError, ValueError):
        return None
    values[:, quantities] = check_quantities([schema.features[position] for position in quantities], numbers, blank)
    return values


def _names(width: int, columns: Sequence[str], schema: Schema) -> list[str]:
    """Return the names of the columns of a CSV without a header."""
    names = [name for name in columns if name != schema.label]
    allowed = f"{len(schema.names)} cells"
    if schema.id is not None:
        allowed += f", or {len(names)} with {schema.id}"
        if width == len(schema.names):
            names.remove(schema.id)
    if width != len(names):
        raise DataError(f"the CSV has no header and {width} cells a line; allowed: a header, or {allowed}")
    return names


def _read_json(data: bytes, schema: Schema) -> Matrix:
    claims = _claims(_parse(data))
    known: set[tuple[str, ...]] = set()
    for row, claim in enumerate(claims):
        # The claims of a request have the same names in the same order as a rule, so few are looked at.
        if (names := tuple(claim)) not in known:
            _check_names(names, schema, row)
            known.add(names)
    cells = {name: [claim[name] for claim in claims] for name in schema.names}
    # float() takes text and true for numbers.
    plain = all(c.kind == "category" or NUMBERS.issuperset(map(type, cells[c.name])) for c in schema.features)
    matrix = _encode_plain(schema, cells, None) if plain else None
    if matrix is None:
        arrays = {column.name: _array(column, cells[column.name]) for column in schema.features}
        matrix = encode_matrix(schema.features, pa.table(arrays))
    return matrix


def _parse(data: bytes) -> Any:
    row = 0

    def close(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal row
        claim = dict(members)
        if len(claim) < len(members):
            raise DataError("stands there twice", column=first_repeated([name for name, _ in members]), row=row)
        row += 1
        return claim

    try:
        return json.loads(data, object_pairs_hook=close)
    except DataError:
        raise
    except (ValueError, RecursionError) as error:
        raise DataError(f"the body is not JSON: {error}") from error


def _claims(document: Any) -> list[Claim]:
    if isinstance(document, dict):
        document = document.get("instances", [document])
    if not isinstance(document, list) or not all(isinstance(claim, dict) for claim in document):
        raise DataError('JSON is not rows; allowed: an object, a list of objects, or {"instances": [objects]}')
    if not document:
        raise DataError("no rows in the list; give at least one")
    return document


def _check_names(names: Sequence[str], schema: Schema, row: int) -> None:
    try:
        check_names(names, schema.names, schema.others)
    except DataError as error:
        raise DataError(str(error), row=row) from error


def _array(column: Column, values: list[Any]) -> pa.Array:
    text = column.kind == "category"
    if text:
        values = [column.numerals.get(value, value) if type(value) in (int, float) else value for value in values]
    allowed = {str, type(None)} if text else NUMBERS
    if not allowed.issuperset(map(type, values)):
        row = next(row for row, value in enumerate(values) if type(value) not in allowed)
        what = "text" if text else "a number"
        raise _refusal(column, values, row, f"is not {what}")
    try:
        if text:
            return pa.array(values, pa.string())
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    except UnicodeEncodeError as error:
        raise _refusal(column, values, values.index(error.object), "is not a known category") from error
    except OverflowError as error:
        row = next(row for row, value in enumerate(values) if value is not None and abs(value) > FLOAT32_MAX)
        raise _refusal(column, values, row, "is out of range") from error


def _refusal(column: Column, values: Sequence[Any], row: int, why: str) -> DataError:
    shown = reprlib.repr(values[row])
    return DataError(f"{shown} {why}; allowed: {column.allowed}", column=column.name, row=row)
