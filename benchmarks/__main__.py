"""How fast is it? `python -m benchmarks [NAME ...]` times processes side by side, and prints goals and figures."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import cached, cold, overhead, trials
from benchmarks.template import Template
from benchmarks.timing import ROOT, Row, table

MEASURES: Mapping[str, Callable[[Template, int], list[Row]]] = {
    "cold": cold.measure,
    "cached": cached.measure,
    "trials": trials.measure,
    "overhead": overhead.measure,
}
# These print their own results. Heavy libraries in this process would count in the peak memory of those it starts.
PROGRAMS = ("million", "serving", "data_quality")
DEFAULT = (*MEASURES, "million", "serving")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are named; end with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [*MEASURES, *PROGRAMS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(names)} (default: {', '.join(DEFAULT)})")
    parser.add_argument("--rounds", type=int, default=9, help="how often each process is timed (default %(default)s)")
    options = parser.parse_args(arguments)
    chosen = options.names or DEFAULT
    if unknown := set(chosen) - set(names):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
    rows = measure([name for name in chosen if name in MEASURES], options.rounds)
    codes = [run_program(name) for name in chosen if name in PROGRAMS]
    if rows:
        print(f"\n{table(rows)}")
    return int(any(codes) or not all(row.is_met for row in rows))


def measure(names: Sequence[str], rounds: int) -> list[Row]:
    """Run benchmarks of pipelines, which start from one template."""
    if not names:
        return []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        template = Template(Path(folder))
        sys.stderr.write("compiling the pipeline\n")
        template.make()
        return [row for name in names for row in MEASURES[name](template, rounds)]


def run_program(name: str) -> int:
    """Run a benchmark that is a program of its own."""
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
