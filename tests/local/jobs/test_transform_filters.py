"""The JSONPath expressions of DataProcessing."""

from typing import Any

import pytest

from pipelines.local.jobs.transform_filters import NotThere, parse_filter

ROW = ["a", "b", "c", "d"]
CLAIM = {"id": 7, "features": [1, 2, 3], "more": {"x": {"y": 1}, "z": 2}, "rows": [{"v": 1}, {"v": 2}]}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("$", ROW),
        ("$[0]", "a"),
        ("$[-1]", "d"),
        ("$[1:]", ["b", "c", "d"]),
        ("$[:2]", ["a", "b"]),
        ("$[1:3]", ["b", "c"]),
        ("$[-2:]", ["c", "d"]),
        ("$[0,-1]", ["a", "d"]),
        ("$[ 0 , 2 ]", ["a", "c"]),
        ("$[0,2:]", ["a", "c", "d"]),
        ("$[*]", ROW),
    ],
)
def test_elements_of_a_row_are_selected_by_position(text: str, selected: Any) -> None:
    chosen = parse_filter(text, "text/csv")
    assert chosen.select(ROW) == selected
    assert chosen.is_by_position


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("$.id", 7),
        ("$['id']", 7),
        ("$.more.x.y", 1),
        ("$.more['x']", {"y": 1}),
        ("$.features[0]", 1),
        ("$.features[1:]", [2, 3]),
        ("$['id','features']", {"id": 7, "features": [1, 2, 3]}),
        ("$.more.['x','z']", {"x": {"y": 1}, "z": 2}),
        ("$.more.*", [{"y": 1}, 2]),
        ("$.rows[*].v", [1, 2]),
    ],
)
def test_attributes_of_an_object_are_selected_by_name(text: str, selected: Any) -> None:
    chosen = parse_filter(text, "application/jsonlines")
    assert chosen.select(CLAIM) == selected
    assert not chosen.is_by_position


@pytest.mark.parametrize(
    ("text", "document", "said"),
    [
        ("$[4]", ROW, r"there is no element \[4\] among 4"),
        ("$[-5]", ROW, r"there is no element \[-5\] among 4"),
        ("$[4:]", ROW, r"there is no element \[4:\] among 4"),
        ("$[0]", CLAIM, r"there is no element \[0\] among 0"),
        ("$.score", CLAIM, "there is no attribute 'score'"),
        ("$['id','score']", CLAIM, "there is no attribute 'score'"),
        ("$.id.x", CLAIM, "there is no attribute 'x'"),
        ("$.id.*", CLAIM, "selects nothing of a single value"),
    ],
)
def test_what_is_not_there_is_named(text: str, document: Any, said: str) -> None:
    with pytest.raises(NotThere, match=said):
        parse_filter(text, "application/json").select(document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$['claim_id']", 'Unexpected "_" in JsonPath. Supported operators for "application/json" are '),
        ("$[?(@.x)]", r'Unexpected "\?" in JsonPath'),
        ("id", r"begins with '\$'"),
        ("$id", "Unexpected 'id' in JsonPath"),
        ("$..id", "Unexpected '..id' in JsonPath"),
        ("$[", r"Unexpected '\[' in JsonPath"),
        ("$[id]", "Unexpected 'id' in JsonPath; write names in quotes"),
        ("$['a',1]", "Unexpected ''a'' in JsonPath"),
        ("$[0:2,246:]", r"Only a single range of the format \[1:5\] is supported"),
    ],
)
def test_what_the_service_does_not_have_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_filter(text, "application/json")


def test_the_expression_of_everything_leaves_documents_as_they_are() -> None:
    assert parse_filter("$", "text/csv").selects_all
    assert not parse_filter("$[0]", "text/csv").selects_all
