"""A first run of Preprocess, Train, Evaluate and the gate, beside the same scripts run bare."""

from benchmarks.bare import Bare
from benchmarks.template import THRESHOLD, Template
from benchmarks.timing import Row, Timing, judge, ratios, seconds, side_by_side

LIMIT = 0.5


def measure(template: Template, rounds: int) -> list[Row]:
    """Time both in turn."""
    bare = Bare(template, template.folder / "bare")

    def pipeline() -> Timing:
        return template.run(template.fresh_root("cold"), template.definition_file, "--parameter", THRESHOLD)

    timings = side_by_side("cold", {"run-pipeline": pipeline, "bare scripts": bare.run}, rounds)
    ours, theirs = map(seconds, timings.values())
    return [judge("cold: run-pipeline / bare scripts", LIMIT, ratios(ours, theirs))]
