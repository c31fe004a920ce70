"""Objects as requests, and what is done to their records and results."""

import csv
import gzip
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.jobs import transform_records
from pipelines.local.jobs.transform_data import CSV, JSON, JSON_LINES, BadRecord, DataProcessing
from pipelines.local.jobs.transform_filters import parse_filter
from pipelines.local.jobs.transform_records import MEGABYTE, BadObject, Batch, Batching, batches


def cut(content: bytes, **more: object) -> list[bytes]:
    return [batch.body for batch in batches(io.BytesIO(content), Batching(**more))]  # type: ignore[arg-type]


def process(kind: str, *, given: str = "$", kept: str = "$", join: bool = False) -> DataProcessing:
    return DataProcessing(kind, kind, parse_filter(given, kind), parse_filter(kept, kind), join)


LINES = b"1,2\n3,4\r\n\n5,6"


def test_an_object_that_is_not_split_is_one_request() -> None:
    assert cut(LINES) == [LINES]
    assert cut(b"") == [b""]


def test_lines_are_packed_up_to_the_payload() -> None:
    assert cut(LINES, split=True) == [b"1,2\n3,4\r\n5,6"]
    assert cut(LINES, split=True, limit=9) == [b"1,2\n3,4\r\n", b"5,6"]
    assert cut(LINES, split=True, limit=8) == [b"1,2\n", b"3,4\r\n5,6"]
    assert cut(b"", split=True) == []


def test_a_single_record_is_a_request_of_its_own() -> None:
    assert cut(LINES, split=True, single=True) == [b"1,2\n", b"3,4\r\n", b"5,6"]


def test_a_batch_knows_its_lines() -> None:
    found = list(batches(io.BytesIO(LINES), Batching(split=True, limit=9)))
    assert [batch.where for batch in found] == ["lines 1 to 2", "line 4"]
    assert found[0].where_of(1) == "line 2"
    assert Batch(b"").where == ""


def test_an_object_is_read_as_its_batches_are_asked_for() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readline(self, size: int | None = -1, /) -> bytes:
            return b"x" * 1023 + b"\n"

    found: Iterator[Batch] = batches(Endless(), Batching(split=True, limit=MEGABYTE))  # type: ignore[arg-type]
    assert [len(next(found).body) for _ in range(3)] == [MEGABYTE] * 3


@pytest.mark.parametrize(
    ("content", "split", "where", "said"),
    [
        (b"1,2\n3,4\n", False, "", r"it is larger than MaxPayloadInMB \(0 MB\) and is sent as a whole; set SplitType"),
        (b"1\n2,3,4,5\n", True, "line 2", r"it is larger than MaxPayloadInMB"),
    ],
)
def test_what_does_not_fit_into_a_payload_is_told(content: bytes, split: bool, where: str, said: str) -> None:
    with pytest.raises(BadObject, match=said) as caught:
        cut(content, split=split, limit=5)
    assert caught.value.where == where


def test_a_line_beyond_any_payload_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transform_records, "LONGEST_RECORD", 5)
    stream = io.BytesIO(b"1\n2,3,4,5\n")
    with pytest.raises(BadObject, match="it is longer than 0 MB") as caught:
        list(batches(stream, Batching(split=True, process=process(CSV, given="$[0]"))))
    assert (caught.value.where, stream.tell()) == ("line 2", 8)


def test_a_compressed_object_is_unpacked() -> None:
    packed = gzip.compress(LINES) + gzip.compress(b"\n7,8\n")
    assert cut(packed, split=True, compressed=True) == [b"1,2\n3,4\r\n5,6\n7,8\n"]


@pytest.mark.parametrize(
    "content",
    [b"1,2\n", gzip.compress(LINES)[:-4], gzip.compress(LINES)[:15] + b"\0" * 20],
    ids=["not packed", "cut off", "damaged"],
)
def test_a_broken_compressed_object_is_told(content: bytes) -> None:
    with pytest.raises(BadObject, match="no whole gzip file"):
        cut(content, split=True, compressed=True)


def test_the_input_filter_leaves_out_columns() -> None:
    assert cut(b'7,"a,b",1\n8,c,2\n', split=True, process=process(CSV, given="$[1:]")) == [b'"a,b",1\nc,2\n']


def test_the_input_filter_takes_an_attribute() -> None:
    lines = b'{"id": 1, "features": [0.1, 2]}\n{"id": 2, "features": [1e3]}\n'
    assert cut(lines, split=True, process=process(JSON_LINES, given="$.features")) == [b"[0.1,2]\n[1000.0]\n"]
    assert cut(b'{"a": {\n"b": "\xc3\xa9"}}', process=process(JSON, given="$.a")) == ['{"b":"é"}\n'.encode()]


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        (CSV, b'1,2\n3,"4\n', "it is not text/csv: unexpected end of data"),
        (CSV, b"1,2\n3\n", r"InputFilter \$\[1:\]: there is no element \[1:\] among 1"),
        (JSON_LINES, b"[1,2]\n{\n", "it is not application/jsonlines: Expecting property name"),
        (JSON_LINES, b"[1,2]\n\xff\n", "it is not application/jsonlines: 'utf-8' codec"),
        (JSON_LINES, b"[1,2]\n" + b"[" * 100_000, "it is not application/jsonlines: maximum recursion"),
    ],
)
def test_a_record_that_cannot_be_filtered_is_told(kind: str, content: bytes, said: str) -> None:
    with pytest.raises(BadObject, match=said) as caught:
        cut(content, split=True, process=process(kind, given="$[1:]"))
    assert caught.value.where == "line 2"


def test_a_document_that_cannot_be_filtered_is_told() -> None:
    with pytest.raises(BadObject, match=r"InputFilter \$\.a: there is no attribute 'a'") as caught:
        cut(b'{"b": 1}', process=process(JSON, given="$.a"))
    assert caught.value.where == ""


def test_results_are_joined_to_the_rows() -> None:
    joined = process(CSV, given="$[1:]", join=True)
    (batch,) = batches(io.BytesIO(b'7,"a ""b""",1\r\n8,c,2\n'), Batching(split=True, process=joined))
    assert joined.output(batch.records, b"0.5\n0.25\n") == b'7,"a ""b""",1,0.5\n8,c,2,0.25\n'
    kept = process(CSV, given="$[1:]", kept="$[0,-1]", join=True)
    assert kept.output(batch.records, b"0.5\n0.25\n") == b"7,0.5\n8,0.25\n"
    assert process(CSV, kept="$[1]").output((), b"1,2\n3,4\n") == b"2\n4\n"


ANY_CELL = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=5)


@given(st.lists(st.lists(ANY_CELL, min_size=2, max_size=4), min_size=1, max_size=4))
def test_rows_of_any_cells_come_through_as_they_are(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    (body,) = cut(text.getvalue().encode(), split=True, process=process(CSV, given="$[0:]"))
    assert list(csv.reader(io.StringIO(body.decode(), newline=""))) == rows
    joined = process(CSV, kept="$[1:]", join=True).output(body.split(b"\n")[:-1], b"0.5\n" * len(rows))
    assert list(csv.reader(io.StringIO(joined.decode(), newline=""))) == [[*row[1:], "0.5"] for row in rows]


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (b'{"key": 1}', '{"key":1,"SageMakerOutput":{"label":1}}\n'),
        (b'{"SageMakerOutput": 0, "\xc3\xa9": 1.0}', '{"SageMakerOutput":{"label":1},"é":1.0}\n'),
        (b"[1, 2]", '{"SageMakerInput":[1,2],"SageMakerOutput":{"label":1}}\n'),
    ],
)
def test_results_are_joined_to_objects_under_a_name(record: bytes, line: str) -> None:
    assert process(JSON_LINES, join=True).output([record], b'{"label": 1}\n') == line.encode()
    assert process(JSON, join=True).output([record], b'{\n"label": 1}\n') == line.encode()


def test_the_output_filter_keeps_an_id_with_the_result() -> None:
    kept = process(JSON_LINES, given="$.features", kept="$['id','SageMakerOutput']", join=True)
    (batch,) = batches(io.BytesIO(b'{"features": [1], "id": 7}'), Batching(process=kept))
    assert (batch.body, kept.output(batch.records, b"0.5")) == (b"[1]\n", b'{"id":7,"SageMakerOutput":0.5}\n')


@pytest.mark.parametrize(
    ("response", "index", "said"),
    [
        (b"1\n", 0, "mismatched line count between the input and the output: 2 records and 1 results"),
        (b'1\n"2\n', 1, "it is not text/csv: unexpected end of data"),
    ],
)
def test_results_that_do_not_fit_the_records_are_told(response: bytes, index: int, said: str) -> None:
    with pytest.raises(BadRecord, match=said) as caught:
        process(CSV, join=True).output([b"a\n", b"b\n"], response)
    assert caught.value.index == index
