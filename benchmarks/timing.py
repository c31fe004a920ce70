"""Whole processes, timed side by side, and the table of what came out."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Linux counts in KiB, macOS in bytes.
MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024


class ProcessFailed(RuntimeError):
    """A process that was to be timed has failed."""


@dataclass(frozen=True)
class Timing:
    """What a process and all that it started took: seconds, CPU seconds, and the peak of the largest one in bytes."""

    seconds: float
    cpu: float
    peak: int

    def __add__(self, other: "Timing") -> "Timing":
        """Return what both took, one after the other."""
        return Timing(self.seconds + other.seconds, self.cpu + other.cpu, max(self.peak, other.peak))


@dataclass(frozen=True)
class Row:
    """One line of the final table."""

    name: str
    goal: str
    measured: str
    is_met: bool


def time_process(
    command: Sequence[str | Path], log: Path, *, environment: Mapping[str, str] | None = None, expected: int = 0
) -> Timing:
    """Run a Python command line, such as `["script.py", "--help"]`, to its end; it starts in the log's folder.

    The peak is at least this process's own, for so the system counts.

    Raises:
        ProcessFailed: it did not end with the expected exit code.
    """
    # Everybody gets the byte code that the Makefile has compiled.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    variables = {**inherited, "PYTHONPATH": str(ROOT), **(environment or {})}
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=variables,
            cwd=log.parent,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != expected:
        shown = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise ProcessFailed(f"{' '.join(map(str, command))}: exit code {process.returncode}\n{shown}")
    return Timing(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MEMORY_UNIT)


def side_by_side(name: str, candidates: Mapping[str, Callable[[], Timing]], rounds: int) -> dict[str, list[Timing]]:
    """Time the candidates in turn, A B A B, so that what else the machine does meets all alike; print the medians."""
    timings: dict[str, list[Timing]] = {candidate: [] for candidate in candidates}
    for number in range(rounds):
        for candidate, run in candidates.items():
            _say(f"{name}: round {number + 1} of {rounds}, {candidate}")
            timings[candidate].append(run())
    _say("")
    print(f"\n{name}, {rounds} rounds, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    for candidate, found in timings.items():
        cpu = statistics.median(timing.cpu for timing in found)
        peak = max(timing.peak for timing in found) / 1e6
        print(f"  {candidate:<28} {span(seconds(found), 's')}   CPU {cpu:.2f} s   peak {peak:.0f} MB")
    return timings


def _say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
    elif text:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def seconds(timings: Sequence[Timing]) -> list[float]:
    """Return the wall times."""
    return [timing.seconds for timing in timings]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return the ratio within each round, in which both met the same conditions."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def span(values: Sequence[float], unit: str = "") -> str:
    """Show the median, and the lowest and highest value."""
    unit = f" {unit}" if unit else ""
    return f"{statistics.median(values):.3f}{unit} ({min(values):.3f} to {max(values):.3f})"


def judge(name: str, limit: float, values: Sequence[float], unit: str = "") -> Row:
    """Return the row of a figure that is to be at most a limit, in the median."""
    goal = f"<= {limit:g} {unit}".rstrip()
    return Row(name, goal, span(values, unit), statistics.median(values) <= limit)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as an aligned table."""
    cells = [("", "goal", "measured: median (min to max)", "")]
    cells += [(row.name, row.goal, row.measured, "met" if row.is_met else "MISSED") for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )
