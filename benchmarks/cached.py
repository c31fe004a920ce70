"""A rerun with another threshold, all of it cached, beside what boto3 alone takes."""

import itertools

from benchmarks.template import THRESHOLD, Template
from benchmarks.timing import Row, Timing, judge, seconds, side_by_side, time_process

LIMIT_SECONDS = 0.5
FLOOR = "import boto3; boto3.client('sagemaker', region_name='us-east-1')"
FLOOR_LOG = "floor-log"


def measure(template: Template, rounds: int) -> list[Row]:
    """Fill a cache, and time reruns of it."""
    root = template.fresh_root("cached")
    template.run(root, template.definition_file, "--parameter", THRESHOLD)
    numbers = itertools.count(501)

    def rerun() -> Timing:
        return template.run(root, template.definition_file, "--parameter", f"RocAucThreshold=0.{next(numbers)}")

    def floor() -> Timing:
        return time_process(["-c", FLOOR], template.folder / FLOOR_LOG)

    timings = side_by_side("cached", {"run-pipeline, all cached": rerun, "boto3 and a client": floor}, rounds)
    ours, _ = map(seconds, timings.values())
    return [judge("cached: run-pipeline, another threshold", LIMIT_SECONDS, ours, "s")]
