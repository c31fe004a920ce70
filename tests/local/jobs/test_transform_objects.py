"""The objects of a transform job, sent through a model that is a function."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.local.containers.stop import Stop
from pipelines.local.jobs.transform_client import InvocationFailed
from pipelines.local.jobs.transform_objects import Source, Transformation
from pipelines.local.jobs.transform_records import Batching
from pipelines.local.store import Store

BUCKET = "bucket"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "s3")
    made.create_bucket(BUCKET)
    return made


def sources(store: Store, **objects: bytes) -> list[Source]:
    for key, content in objects.items():
        store.put(BUCKET, key, content)
    return [Source(BUCKET, key, key) for key in objects]


def transformation(
    store: Store, folder: Path, invoke: Callable[[bytes], bytes], *, concurrency: int = 1, stop: Stop | None = None
) -> Transformation:
    batching = Batching(split=True, single=True)
    return Transformation(store, invoke, batching, concurrency, False, folder / "out", stop or Stop())


def test_results_stand_in_the_order_of_the_records_whichever_comes_first(store: Store, tmp_path: Path) -> None:
    turns = {number: threading.Event() for number in range(6)}
    turns[5].set()

    def last_first(body: bytes) -> bytes:
        # All six are under way at once, and the last one ends first.
        number = int(body)
        assert turns[number].wait(30)
        if number:
            turns[number - 1].set()
        return body

    (source,) = sources(store, a=b"0\n1\n2\n3\n4\n5\n")
    transformation(store, tmp_path, last_first, concurrency=6).run([source])
    assert (tmp_path / "out" / "a.out").read_bytes() == b"0\n1\n2\n3\n4\n5\n"


def test_no_more_requests_are_under_way_than_is_said(store: Store, tmp_path: Path) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def count(body: bytes) -> bytes:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with lock:
            now[0] -= 1
        return body

    found = sources(store, a=b"1\n" * 50, b=b"1\n" * 50)
    transformation(store, tmp_path, count, concurrency=3).run(found)
    assert most[0] <= 3
    assert [source.failure for source in found] == [None, None]


def test_of_an_object_that_failed_little_more_is_sent(store: Store, tmp_path: Path) -> None:
    sent = []

    def refuse(body: bytes) -> bytes:
        sent.append(body)
        raise InvocationFailed("ClientError", "400: no")

    (source,) = sources(store, a=b"1\n" * 1000)
    transformation(store, tmp_path, refuse, concurrency=2).run([source])
    assert source.failure == "ClientError: 400: no (line 1 of s3://bucket/a)"
    assert len(sent) <= 5
    assert not (tmp_path / "out" / "a.out").exists()


def test_an_object_that_is_gone_fails_and_stops_no_other(store: Store, tmp_path: Path) -> None:
    found = [Source(BUCKET, "gone", "gone"), *sources(store, a=b"1\n")]
    transformation(store, tmp_path, lambda body: body).run(found)
    assert found[0].failure == "ClientError: the object s3://bucket/gone does not exist (s3://bucket/gone)"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.out"]


def test_a_stop_ends_the_sending(store: Store, tmp_path: Path) -> None:
    stop, sent = Stop(), []

    def stopping(body: bytes) -> bytes:
        sent.append(body)
        stop.set()
        return body

    transformation(store, tmp_path, stopping, stop=stop).run(sources(store, a=b"1\n" * 1000))
    assert len(sent) <= 3


def test_an_error_of_this_program_is_not_taken_for_the_models(store: Store, tmp_path: Path) -> None:
    def broken(_: bytes) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transformation(store, tmp_path, broken).run(sources(store, a=b"1\n" * 10))
