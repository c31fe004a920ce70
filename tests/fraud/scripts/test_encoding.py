"""Encoding for training and for a request: two forms of the same rules."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import preprocess
from columns import DataError, load_schema
from features import Matrix, encode, encode_matrix, matrix

SCHEMA = load_schema(preprocess.SCHEMA_FILE)
QUANTITIES = [column for column in SCHEMA.features if column.kind != "category"]
NUMBERS = st.one_of(
    st.none(), st.integers(0, 30).map(float), st.floats(), st.sampled_from([-0.0, 0.1, 3.5e38, math.nan, math.inf])
)


@st.composite
def tables(draw: st.DrawFn, *, right: bool) -> pa.Table:
    """A few claims; most values are allowed, so that wrong ones are not all in the first column."""
    rows = draw(st.integers(1, 4))
    odd = {draw(st.sampled_from(SCHEMA.names))} if not right else set()
    arrays: dict[str, pa.Array] = {}
    for column in SCHEMA.features:
        if column.kind == "category":
            texts = st.sampled_from([*column.codes, None])
            if column.name in odd:
                texts = texts | st.text(st.characters(codec="utf-8"))
            array = pa.array(draw(st.lists(texts, min_size=rows, max_size=rows)), pa.string())
            arrays[column.name] = array.dictionary_encode() if draw(st.booleans()) else array
        else:
            low, high = max(0, int(column.minimum)), int(min(column.maximum, 2**53))
            numbers = NUMBERS if column.name in odd else st.none() | st.integers(low, high).map(float)
            arrays[column.name] = pa.array(draw(st.lists(numbers, min_size=rows, max_size=rows)), pa.float64())
    return pa.table(arrays)


def outcome(encoded: bool, table: pa.Table) -> tuple[bytes, str]:
    """The bits of the matrix, or what was refused and where."""
    try:
        values: Matrix = (
            matrix(encode(SCHEMA.features, table), SCHEMA.names) if encoded else encode_matrix(SCHEMA.features, table)
        )
    except DataError as error:
        return b"", f"{error.row} {error}"
    return values.tobytes(), ""


@given(tables(right=True))
def test_allowed_claims_are_the_same_numbers_in_both(table: pa.Table) -> None:
    bits, refusal = outcome(True, table)
    assert not refusal
    assert (bits, refusal) == outcome(False, table)


@given(tables(right=False))
def test_a_wrong_claim_is_refused_by_both_with_the_same_words(table: pa.Table) -> None:
    assert outcome(True, table) == outcome(False, table)


def test_the_first_wrong_value_of_a_column_is_named() -> None:
    name = "incident_hour"
    table = pa.table({name: pa.array([3.0, None, 24.0, 1.5, math.nan])})
    columns = [column for column in SCHEMA.features if column.name == name]
    for encoder in (encode, encode_matrix):
        with pytest.raises(DataError, match="'24' is out of range") as caught:
            encoder(columns, table)
        assert caught.value.row == 2


def test_a_category_beyond_the_first_chunk_is_known() -> None:
    column = SCHEMA.features[0]
    parts = [pa.array([text]).dictionary_encode() for text in ("Self", "Spouse", "N/A")]
    table = pa.table({column.name: pa.chunked_array(parts)})
    assert encode_matrix([column], table)[:, 0].tolist() == [0, 1, 4]
    assert encode([column], table)[column.name].to_pylist() == [0, 1, 4]


def test_an_empty_cell_is_not_the_number_nan() -> None:
    column = QUANTITIES[-1]
    assert np.isnan(encode_matrix([column], pa.table({column.name: pa.array([None], pa.float64())}))).all()
    with pytest.raises(DataError, match="'nan' is not finite"):
        encode_matrix([column], pa.table({column.name: pa.array([math.nan])}))
