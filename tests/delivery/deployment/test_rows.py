"""Labelled rows: read whole or refused, and sent in parts that an endpoint takes."""

from pathlib import Path

import pytest

from pipelines.delivery.deployment.requests import csv_body, json_body, numeric_columns
from pipelines.delivery.deployment.rows import LARGEST_BATCH, LONGEST_BATCH, Rows, parse_rows
from pipelines.delivery.errors import DeliveryError
from tests.delivery.deployment.fake_aws import ROWS_URI
from tests.delivery.deployment.scenes import ROWS, STAGING, Scene


def test_the_label_comes_first_and_is_not_sent() -> None:
    rows = parse_rows(b'fraud,amount,kind\n1,0.5,"theft, at night"\n0,1e3,\n', "rows.csv")
    assert rows == Rows(("amount", "kind"), (("0.5", "theft, at night"), ("1e3", "")), (1, 0))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a header, the label's column first, and rows below it"),
        (b"fraud,amount\n", "expected a header"),
        (b"fraud\n1\n0\n", "expected a header"),
        (b"fraud,amount\n1,2\n0\n", "row 2 has 1 cells, of which the first is '0': expected 2"),
        (b"amount,fraud\n12.5,1\n", "the first is '12.5': expected 2, and 0 or 1 for the label amount"),
        (b"fraud,amount\n1,2\n1,3\n", "all labels are 1; a ROC AUC needs rows of both"),
        (b"fraud,amount\n1,\xff\n", "give a CSV in UTF-8 with the label first"),
        (b'fraud,amount\n1,"2\n', "unexpected end of data"),
    ],
)
def test_rows_that_prove_nothing_are_refused_before_anything_is_made(content: bytes, message: str) -> None:
    scene = Scene()
    scene.aws.objects[ROWS_URI] = content
    with pytest.raises(DeliveryError) as caught:
        scene.deploy(STAGING, "1")
    assert str(caught.value).startswith(f"test data {ROWS_URI}: ")
    assert message in str(caught.value)
    assert scene.aws.changing() == []


def test_a_package_without_rows_says_how_to_give_some(tmp_path: Path) -> None:
    scene = Scene()
    del scene.aws.packages[1]["CustomerMetadataProperties"]["LabelledRows"]
    with pytest.raises(DeliveryError, match=r"fraud/1 names no labelled rows .* give --test-data"):
        scene.deploy(STAGING, "1")
    assert scene.aws.changing() == []
    (tmp_path / "rows.csv").write_text(ROWS)
    for place in (str(tmp_path / "rows.csv"), "s3://other/rows.csv"):
        scene.aws.objects["s3://other/rows.csv"] = ROWS.encode()
        order = STAGING.__class__(**{**vars(STAGING), "test_data": place})
        assert scene.deploy(order, "1").exit_code == 0


def test_rows_that_are_gone_say_where_they_were() -> None:
    scene = Scene()
    scene.aws.objects.clear()
    with pytest.raises(DeliveryError, match=f"there are no test data at {ROWS_URI}: give --test-data"):
        scene.deploy(STAGING, "1")
    assert scene.aws.changing() == []


@pytest.mark.parametrize(
    ("count", "letters"), [(1, 5), (LONGEST_BATCH, 5), (LONGEST_BATCH + 1, 5), (30, 300_000), (3, 2_600_000)]
)
def test_batches_hold_all_rows_once_and_none_is_too_large(count: int, letters: int) -> None:
    values = tuple((str(number), "x" * letters) for number in range(count))
    rows = Rows(("number", "text"), values, (0,) * count)
    batches = list(rows.batches())
    numeric = numeric_columns(rows)
    assert tuple(row for batch in batches for row in batch) == values
    assert all(0 < len(batch) <= LONGEST_BATCH for batch in batches)
    assert all(len(csv_body(rows.columns, batch)) <= LARGEST_BATCH for batch in batches)
    assert all(len(json_body(rows.columns, batch, numeric)) <= LARGEST_BATCH for batch in batches)
