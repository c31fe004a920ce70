"""What the engine adds to a step: a long chain of trivial conditions and cached steps."""

import json
from pathlib import Path
from typing import Any

from benchmarks.template import BUCKET, ROLE, Definition, Template, step
from benchmarks.timing import Row, Timing, judge, seconds, side_by_side

STEPS = 200
LIMIT_MILLISECONDS = 20.0
CODE = f"s3://{BUCKET}/nothing/"
FOLDER = "/opt/ml/processing/input/code"


def chain(template: Template, length: int) -> Definition:
    """Return a pipeline in which cached steps and conditions take turns, each waiting for the one before."""
    image = step(template.definition(), "Preprocess")["Arguments"]["AppSpecification"]["ImageUri"]
    steps = [_condition(number) if number % 2 else _processing(number, image) for number in range(length)]
    for one, before in zip(steps[1:], steps, strict=False):
        one["DependsOn"] = [before["Name"]]
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps}


def _condition(number: int) -> dict[str, Any]:
    condition = {"Type": "Equals", "LeftValue": number, "RightValue": number}
    return {
        "Name": f"Condition{number}",
        "Type": "Condition",
        "Arguments": {"Conditions": [condition], "IfSteps": [], "ElseSteps": []},
    }


def _processing(number: int, image: str) -> dict[str, Any]:
    code = {"S3Uri": CODE, "LocalPath": FOLDER, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    return {
        "Name": f"Processing{number}",
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": ["python3", f"{FOLDER}/nothing.py"]},
            "RoleArn": ROLE,
            "ProcessingInputs": [{"InputName": "code", "S3Input": code}],
        },
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"},
    }


class Chain:
    """Reruns of one chain, and how long its executions took, from the first step to the last."""

    def __init__(self, template: Template, length: int) -> None:
        self._template = template
        self._length = length
        self._file = template.write(f"chain-{length}", chain(template, length))
        self._outcome = template.folder / f"chain-{length}-outcome.json"
        self._root = template.fresh_root(f"chain-{length}")
        code = self._root / "s3" / Path(CODE.removeprefix("s3://")) / "nothing.py"
        code.parent.mkdir(parents=True)
        code.write_text("")
        self.execution_seconds: list[float] = []
        self.hits = 0

    def run(self) -> Timing:
        """Time a run."""
        timing = self._template.run(self._root, self._file, "--json", self._outcome)
        outcome = json.loads(self._outcome.read_text())
        assert len(outcome["steps"]) == self._length, f"steps did not run: {outcome['steps_not_run']}"
        self.hits = sum(bool(one["cache_hit"]) for one in outcome["steps"])
        self.execution_seconds.append(outcome["seconds"])
        return timing


def measure(template: Template, rounds: int, length: int = STEPS) -> list[Row]:
    """Time a chain beside its shortest form, whose time is start-up."""
    long, short = Chain(template, length), Chain(template, 1)
    for one in (long, short):
        one.run()
        one.execution_seconds.clear()
    timings = side_by_side("overhead", {f"{length} steps": long.run, "1 step": short.run}, rounds)
    assert long.hits == (length + 1) // 2, f"only {long.hits} steps were cached"
    ours, theirs = map(seconds, timings.values())
    processes = [1000 * (whole - start) / (length - 1) for whole, start in zip(ours, theirs, strict=True)]
    executions = [1000 * whole / length for whole in long.execution_seconds]
    return [
        judge("overhead a step: process less start-up", LIMIT_MILLISECONDS, processes, "ms"),
        judge("overhead a step: first step to last", LIMIT_MILLISECONDS, executions, "ms"),
    ]
