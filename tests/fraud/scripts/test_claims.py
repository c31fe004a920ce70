"""Claims of a request, read cell by cell without Arrow, mean what Arrow makes of them."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import claims
import preprocess
from columns import DataError, load_schema
from features import encode_matrix, read_csv
from tests.fraud.requests import csv_body, json_body, labelled_rows

CSV, JSON = "text/csv", "application/json"
SCHEMA = load_schema(preprocess.SCHEMA_FILE)
ODD = ["", " ", "+5", " 7 ", "1e1", "1E+1", "5.", ".5", "-0", "007", "1_0", "٣", "\t5", "5\x0b", "\xa05", "NaN", "-nan"]
ODD += ["nan(1)", "inf", "Infinity", "0x10", "1d1", "1e", "--5", "9" * 400, "1e-400", "1e308", "3.5e38", "3.4028235e38"]
ODD += ["None", "N/A", "none", '"None"', 'a"b', "a,b", "Theft ", "\0", "é", "'", "1,5", "True", "null", "0.1", "1;2"]
TEXTS = st.sampled_from(ODD) | st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=6)
TEXTS |= (
    st.floats().map(repr) | st.integers().map(str) | st.from_regex(r"[-+ ]?[0-9]{0,3}\.?[0-9]{0,20}(e[-+]?[0-9]{1,3})?")
)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.lists(st.none(), max_size=1)
GOOD: dict[str, Any] = {c.name: c.categories[0] if c.categories else max(0, int(c.minimum)) for c in SCHEMA.features}
COLUMNS = st.sampled_from(SCHEMA.names)


def plainly(body: bytes, content_type: str) -> tuple[bytes, str]:
    """What a request's claims are read as: bits, or the words of the refusal but the shown value."""
    try:
        return claims.read(body, content_type, SCHEMA).tobytes(), ""
    except DataError as error:
        return b"", str(error).partition(": ")[2].partition(": ")[0]


def by_arrow(body: bytes) -> tuple[bytes, str]:
    try:
        return encode_matrix(SCHEMA.features, read_csv(body, SCHEMA.features)).tobytes(), ""
    except DataError as error:
        return b"", str(error).partition(": ")[0]


@given(st.dictionaries(COLUMNS, TEXTS, max_size=2), st.dictionaries(COLUMNS, TEXTS, max_size=1))
def test_a_csvs_cells_are_the_same_numbers_or_refused_by_both(first: dict[str, str], second: dict[str, str]) -> None:
    body = csv_body([GOOD | first, GOOD, GOOD | second])
    assert plainly(body, CSV) == by_arrow(body)


@pytest.mark.parametrize("name", ["injury_claim", "incident_day", "incident_type"])
@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_an_odd_cell_is_the_same_number_or_refused_by_both(name: str, text: str) -> None:
    body = csv_body([GOOD, GOOD | {name: text}])
    assert plainly(body, CSV) == by_arrow(body)


def json_by_arrow(claim: dict[str, Any]) -> bytes:
    """What a claim of JSON's types is; nothing when it has others or is refused."""
    arrays = {}
    for column in SCHEMA.features:
        value, text = claim[column.name], column.kind == "category"
        if type(value) not in ({str, type(None)} if text else {int, float, type(None)}):
            return b""
        number = None if text or value is None else float(value)
        arrays[column.name] = pa.array([value], pa.string()) if text else pa.array([number], pa.float64())
    return encode_matrix(SCHEMA.features, pa.table(arrays)).tobytes()


@given(COLUMNS, VALUES)
def test_a_json_value_is_the_number_that_it_is_or_refused(name: str, value: Any) -> None:
    claim = GOOD | {name: value}
    try:
        expected = json_by_arrow(claim)
    except (DataError, OverflowError):
        expected = b""
    bits, place = plainly(json.dumps(claim).encode(), JSON)
    assert bits == expected
    assert place == ("" if bits else f"column {name!r}")


def test_large_bodies_are_the_same_numbers_as_small_ones(prepared: Path) -> None:
    rows, _ = labelled_rows(prepared / "labelled" / "labelled.csv")
    body = csv_body(rows)
    assert len(body) > claims.SMALL_BYTES
    parts = [claims.read(csv_body(rows[start : start + 10]), CSV, SCHEMA) for start in range(0, len(rows), 10)]
    together = claims.read(body, CSV, SCHEMA).tobytes()
    assert b"".join(part.tobytes() for part in parts) == together
    assert claims.read(json_body(rows, SCHEMA), JSON, SCHEMA).tobytes() == together
