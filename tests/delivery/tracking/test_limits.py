"""Of what MLflow would refuse, or keep only one of, nothing is lost."""

import json

from pipelines.delivery.tracking.limits import accepted, batches, named


def test_names_that_would_become_one_are_told_apart() -> None:
    assert named({"a/b": 1, "a<b": 2, "a_b": 3, "c": 4}) == {"a_b": 1, "a_b_2": 2, "a_b_3": 3, "c": 4}


def test_long_names_are_told_apart_though_they_begin_alike() -> None:
    taken = named({f"{'n' * 300}{number}": number for number in range(12)})
    assert sorted(taken.values()) == list(range(12))
    assert {len(name) for name in taken} == {250}


def test_a_long_text_is_shortened_and_half_a_letter_replaced() -> None:
    assert accepted("x" * 5_000) == "x" * 5_000
    assert accepted("x" * 5_001) == "x" * 4_999 + "…"
    assert accepted("a\udcffb") == "a?b"


def test_a_request_has_no_more_entries_and_bytes_than_mlflow_takes() -> None:
    many = [[("key", f"{number}"), ("value", "1")] for number in range(250)]
    large = [[("key", f"{number}"), ("value", "한" * 5_000)] for number in range(250)]
    assert [len(batch) for batch in batches(many)] == [100, 100, 50]
    requests = list(batches(large))
    assert [each for batch in requests for each in batch] == large
    assert max(len(json.dumps([dict(each) for each in batch])) for batch in requests) < 1_000_000


def test_an_entry_that_is_too_large_alone_is_a_request_of_its_own() -> None:
    small, huge = [("value", "1")], [("value", "x" * 2_000_000)]
    assert list(batches([small, huge, small])) == [[small], [huge], [small]]
    assert list(batches([])) == []
