"""Logs that are cut when they have become too long."""

import threading
from pathlib import Path

import pytest

from pipelines.local.hosting import logs
from pipelines.local.hosting.logs import cut, keep_short
from tests.local.containers.processes import wait_for


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 1000)
    monkeypatch.setattr(logs, "KEPT_BYTES", 100)
    monkeypatch.setattr(logs, "LOOK_SECONDS", 0.001)


def lines(count: int) -> bytes:
    return b"".join(b"line %03d\n" % number for number in range(count))


def test_a_log_that_is_not_too_long_stays_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "v.log"
    log.write_bytes(lines(111))
    cut(log)
    assert log.read_bytes() == lines(111)


def test_of_a_longer_one_the_newest_lines_are_kept_and_who_appends_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "v.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(lines(200))
        cut(log)
        writer.write(b"next\n")
    assert log.read_bytes() == lines(200)[-99:] + b"next\n"


def test_one_line_without_end_is_cut_too(tmp_path: Path) -> None:
    log = tmp_path / "v.log"
    log.write_bytes(b"x" * 2000)
    cut(log)
    assert log.read_bytes() == b"x" * 100


def test_the_logs_of_a_folder_are_looked_after_until_the_end(tmp_path: Path) -> None:
    stop = threading.Event()
    looking = threading.Thread(target=keep_short, args=(tmp_path, stop))
    looking.start()
    for name in ("endpoint.log", "v.log"):
        log = tmp_path / name
        log.write_bytes(lines(200))
        wait_for(lambda log=log: log.stat().st_size < 1000)  # type: ignore[misc]
    stop.set()
    looking.join()
