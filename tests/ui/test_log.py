"""The end of a log, however long it is and whatever stands in it."""

import os
from pathlib import Path

from pipelines.ui.log import BYTES, LINES, LONGEST_LINE, read_log


def test_a_short_log_is_shown_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "algo-1.log"
    log.write_text("one\n\n  indented\ttab\n사기\n")
    found = read_log(str(log))
    assert found.text == "one\n\n  indented\ttab\n사기"
    assert (found.is_cut, found.problem) == (False, None)


def test_of_a_huge_log_only_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "algo-1.log"
    with log.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
        file.seek(0, 2)
        file.write(b"\n" + b"".join(b"line %d\n" % number for number in range(1000)))
    found = read_log(str(log))
    lines = found.text.splitlines()
    assert found.is_cut
    assert lines == [f"line {number}" for number in range(1000 - LINES, 1000)]
    assert len(found.text) < BYTES


def test_a_log_that_begins_in_the_middle_of_a_line_begins_with_the_next(tmp_path: Path) -> None:
    log = tmp_path / "algo-1.log"
    log.write_bytes(("가" * BYTES + "\nwhole\n").encode())
    assert read_log(str(log)).text == "whole"


def test_what_acts_on_a_terminal_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "algo-1.log"
    log.write_bytes(b"\x1b[31mred\x1b[0m\n10 %\r50 %\r100 %\nbell\x07 \xff\n")
    assert read_log(str(log)).text == "red\n100 %\nbell� �"


def test_a_long_line_is_cut(tmp_path: Path) -> None:
    log = tmp_path / "algo-1.log"
    log.write_text("x" * 10_000)
    assert len(read_log(str(log)).text) == LONGEST_LINE


def test_a_log_that_is_not_there_or_empty_says_so(tmp_path: Path) -> None:
    assert read_log(str(tmp_path / "none")).problem == "nothing was written yet"
    assert read_log(str(tmp_path)).problem == "cannot be read: Is a directory"
    (tmp_path / "empty").touch()
    assert read_log(str(tmp_path / "empty")).problem == "is empty"


def test_a_pipe_in_place_of_a_log_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_log(str(tmp_path / "pipe")).problem == "cannot be read: it is no regular file"


def test_a_long_bar_of_progress_shows_how_far_it_is(tmp_path: Path) -> None:
    log = tmp_path / "algo-1.log"
    bars = "".join(f"\r{number / 20:5.1f} % {'#' * 50}" for number in range(2001))
    for text in (bars, f"{bars}\n"):
        log.write_text(text)
        assert len(text) > BYTES
        found = read_log(str(log))
        assert (found.text, found.is_cut) == (f"100.0 % {'#' * 50}", True)
