"""The benchmarks' clock: what it says of real processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.timing import ROOT, ProcessFailed, Row, Timing, judge, ratios, side_by_side, table, time_process

BURN = "import time\nwhile time.process_time() < 0.2: pass"
FILL = "content = b'x' * 200_000_000"


def test_a_process_that_waits_takes_time_but_no_cpu(tmp_path: Path) -> None:
    timing = time_process(["-c", "import time; time.sleep(0.3)"], tmp_path / "log")

    assert timing.seconds > 0.3
    assert timing.cpu < timing.seconds


def test_the_cpu_time_of_children_counts(tmp_path: Path) -> None:
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}], check=True)"

    assert time_process(["-c", parent], tmp_path / "log").cpu > 0.2


def test_the_peak_is_the_largest_process(tmp_path: Path) -> None:
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {FILL!r}], check=True)"
    # In a process of its own: the system counts the one that starts another, and this one is large.
    clock = (
        "import sys; from benchmarks.timing import *; print(time_process(['-c', sys.argv[1]], Path(sys.argv[2])).peak)"
    )

    def peak(program: str) -> int:
        command = [sys.executable, "-c", clock, program, str(tmp_path / "log")]
        return int(subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout)

    assert peak("pass") < 100_000_000
    assert peak(parent) > 200_000_000


def test_a_process_that_fails_shows_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(ProcessFailed, match=r"exit code 3\nthe reason"):
        time_process(["-c", "import sys; print('the reason'); sys.exit(3)"], tmp_path / "log")


def test_an_exit_code_may_be_expected(tmp_path: Path) -> None:
    time_process(["-c", "raise SystemExit(3)"], tmp_path / "log", expected=3)


def test_every_process_writes_and_reads_byte_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    time_process(["-c", "import sys; assert not sys.dont_write_bytecode"], tmp_path / "log")


def test_candidates_take_turns() -> None:
    order: list[str] = []

    def candidate(name: str, seconds: float) -> Timing:
        order.append(name)
        return Timing(seconds, 0.0, 0)

    timings = side_by_side("x", {"a": lambda: candidate("a", 1.0), "b": lambda: candidate("b", 2.0)}, 3)

    assert order == ["a", "b"] * 3
    assert {name: [one.seconds for one in found] for name, found in timings.items()} == {
        "a": [1.0] * 3,
        "b": [2.0] * 3,
    }


def test_the_times_of_processes_in_a_row_add_up() -> None:
    assert Timing(1.0, 0.5, 30) + Timing(2.0, 0.25, 20) == Timing(3.0, 0.75, 30)


def test_a_goal_is_judged_by_the_median_of_the_ratios() -> None:
    values = ratios([1.0, 1.0, 9.0], [2.0, 4.0, 1.0])

    assert judge("cold", 0.5, values) == Row("cold", "<= 0.5", "0.500 (0.250 to 9.000)", is_met=True)
    assert not judge("cold", 0.4, values).is_met


def test_the_table_says_which_goals_were_missed() -> None:
    lines = table([judge("fast", 1, [0.5], "s"), judge("slow", 1, [2.0], "s")]).splitlines()

    assert [line.split()[-1] for line in lines[1:]] == ["met", "MISSED"]
    assert lines[1].startswith("fast  <= 1 s  0.500 s (0.500 to 0.500)")
