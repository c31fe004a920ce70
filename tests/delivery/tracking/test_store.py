"""A record is one run of MLflow's, however often, by how many and up to where it was written before."""

import math
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.delivery.errors import TrackingError
from pipelines.delivery.tracking.opening import open_store
from pipelines.delivery.tracking.places import DATABASE, Tracking, local_tracking
from pipelines.delivery.tracking.records import Measured, Record
from tests.delivery.tracking.experiments import Experiments

START = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
END = START + timedelta(seconds=90)
TRAIN = Record(
    "arn:train", "training job", "Train", "FINISHED", START, END, {"eta": "0.1"}, {"validation:auc": Measured(0.8, END)}
)
TRIALS = tuple(replace(TRAIN, key=f"arn:trial-{number}", kind="trial", name=f"trial {number}") for number in range(3))
TUNE = replace(TRAIN, key="arn:tune", kind="tuning job", name="Tune", children=TRIALS)
EXECUTION = Record(
    "arn:execution",
    "execution",
    "abc",
    "FINISHED",
    START,
    END,
    parameters={"Threshold": "0.85"},
    metrics={"roc_auc": Measured(0.9, END)},
    tags={"verdict": "registered", "approval": None},
    note="**well** done",
    files={"report.html": "<p>ü", "plots/roc.svg": "<svg/>"},
    children=(TRAIN, TUNE),
)
KILLED = """
import os
from datetime import UTC, datetime
from pathlib import Path
from tests.delivery.tracking.test_store import EXECUTION, write_until
write_until(Path({root!r}), {moment!r})
"""


class Killer(dict[str, str]):
    """Files that end the process when they are written."""

    def items(self) -> "Iterator[tuple[str, str]]":  # type: ignore[override]
        os._exit(9)


def write_until(root: Path, moment: str) -> None:
    """Write the record, and be killed at a moment: in the execution's own run, or in the one below it."""
    record = replace(EXECUTION, files=Killer(x="x"))
    if moment == "below":
        record = replace(EXECUTION, children=(TRAIN, replace(TUNE, files=Killer(x="x"))))
    write(local_tracking(root), record)


def write(tracking: Tracking, record: Record = EXECUTION, experiment: str = "fraud") -> str:
    store = open_store(tracking)
    return store.write(store.experiment(experiment), record)


def everything(experiments: Experiments) -> dict[str, tuple[Mapping[str, object], ...]]:
    """All that the runs of the experiment say, by their names."""
    said: dict[str, tuple[Mapping[str, object], ...]] = {}
    for run in experiments.runs("fraud"):
        times = {"status": run.info.status, "start": run.info.start_time, "end": run.info.end_time}
        said[str(run.info.run_name)] = (times, run.data.params, run.data.metrics, run.data.tags)
    assert len(said) == len(experiments.runs("fraud"))
    return said


def test_a_record_is_a_run_with_all_that_it_says(tracking: Tracking, experiments: Experiments) -> None:
    run_id = write(tracking)
    run = experiments.run("fraud", "abc")
    assert run.info.run_id == run_id
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", 1767323045678, 1767323135678)
    assert (run.data.params, run.data.metrics) == ({"Threshold": "0.85"}, {"roc_auc": 0.9})
    assert (run.data.tags["verdict"], run.data.tags["mlflow.note.content"]) == ("registered", "**well** done")
    assert "approval" not in run.data.tags
    assert experiments.files(run) == EXECUTION.files


def test_a_metric_has_the_time_that_it_was_known_at(tracking: Tracking, experiments: Experiments) -> None:
    (history,) = experiments.client.get_metric_history(write(tracking), "roc_auc")
    assert (history.timestamp, history.step) == (1767323135678, 0)


def test_runs_are_below_each_other(tracking: Tracking, experiments: Experiments) -> None:
    write(tracking)
    assert experiments.children("fraud", None) == ["abc"]
    assert experiments.children("fraud", "abc") == ["Train", "Tune"]
    assert experiments.children("fraud", "Tune") == ["trial 0", "trial 1", "trial 2"]


def test_all_is_in_the_folder_whatever_its_name_has(tracking: Tracking, tmp_path: Path) -> None:
    before = set(Path.cwd().iterdir())
    write(tracking)
    (root,) = tmp_path.iterdir()
    assert {path.name for path in root.iterdir()} == {DATABASE, "mlflow-artifacts"}
    with sqlite3.connect(root / DATABASE) as database:
        assert database.execute("select count(*) from runs").fetchone() == (6,)
    assert set(Path.cwd().iterdir()) == before


def test_written_again_it_is_the_same_run(tracking: Tracking, experiments: Experiments) -> None:
    run_id = write(tracking)
    before = everything(experiments)
    assert write(tracking) == run_id
    assert everything(experiments) == before


def test_the_numbers_and_files_of_a_run_that_had_ended_stay(tracking: Tracking, experiments: Experiments) -> None:
    write(tracking, replace(EXECUTION, metrics={"roc_auc": Measured(0.9, END), "difference": Measured(0.01, END)}))
    metrics = {"roc_auc": Measured(0.9, END), "difference": Measured(-0.05, END), "late": Measured(1.0, END)}
    write(tracking, replace(EXECUTION, metrics=metrics, tags={"approval": "Approved"}, files={"report.html": "new"}))
    run = experiments.run("fraud", "abc")
    assert run.data.metrics == {"roc_auc": 0.9, "difference": 0.01}
    assert run.data.tags["approval"] == "Approved"
    assert experiments.files(run)["report.html"] != "new"


def test_what_has_changed_since_is_written(tracking: Tracking, experiments: Experiments) -> None:
    write(tracking, replace(EXECUTION, status="RUNNING", ended=None, children=(TRAIN,)))
    assert experiments.run("fraud", "abc").info.status == "RUNNING"
    changed = replace(
        EXECUTION,
        parameters={"Threshold": "0.8", "New": "1"},
        metrics={"roc_auc": Measured(0.95, END)},
        tags={"verdict": "rejected"},
        files={"report.html": "new"},
    )
    write(tracking, changed)
    run = experiments.run("fraud", "abc")
    assert (run.info.status, run.data.metrics, run.data.tags["verdict"]) == ("FINISHED", {"roc_auc": 0.95}, "rejected")
    # MLflow changes no parameter.
    assert run.data.params == {"Threshold": "0.85", "New": "1"}
    assert experiments.files(run)["report.html"] == "new"
    assert experiments.children("fraud", "abc") == ["Train", "Tune"]


def test_the_same_job_below_another_execution_is_a_run_of_its_own(tracking: Tracking, experiments: Experiments) -> None:
    write(tracking, TRAIN)
    write(tracking)
    write(tracking, replace(EXECUTION, key="arn:second", name="def"))
    assert experiments.children("fraud", None) == ["Train", "abc", "def"]
    names = [run.info.run_name for run in experiments.runs("fraud")]
    assert names.count("Train") == 3


@pytest.mark.parametrize("moment", ["own", "below"])
def test_a_killed_writer_leaves_what_the_next_one_completes(
    tracking: Tracking, experiments: Experiments, tmp_path: Path, moment: str
) -> None:
    (root,) = tmp_path.iterdir()
    killed = subprocess.run([sys.executable, "-c", KILLED.format(root=str(root), moment=moment)], check=False)
    assert killed.returncode == 9
    assert experiments.run("fraud", "abc").info.status == "RUNNING"
    half = experiments.run("fraud", "abc").info.run_id
    assert write(tracking) == half
    after = everything(experiments)
    assert set(after) == {"abc", "Train", "Tune", "trial 0", "trial 1", "trial 2"}
    assert {times["status"] for times, *_ in after.values()} == {"FINISHED"}


def test_of_two_writers_at_the_same_time_both_find_one_run(tmp_path: Path, experiments: Experiments) -> None:
    (root,) = tmp_path.iterdir()
    program = (
        "import sys\nfrom pathlib import Path\nfrom tests.delivery.tracking.test_store import *\n"
        f"tracking = local_tracking(Path({str(root)!r}))\nstore = open_store(tracking)\n"
        "print('ready', flush=True)\nsys.stdin.readline()\nprint(write(tracking))"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    said = {writer.communicate(timeout=120)[0].strip() for writer in writers}
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert said == {experiments.run("fraud", "abc").info.run_id}
    assert set(everything(experiments)) == {"abc", "Train", "Tune", "trial 0", "trial 1", "trial 2"}


def test_a_second_run_of_the_same_is_removed_with_what_is_below_it(
    tracking: Tracking, experiments: Experiments
) -> None:
    first = write(tracking)
    client = experiments.client
    (place,) = {run.info.experiment_id for run in experiments.runs("fraud")}
    late = {"sagemaker.arn": "arn:execution", "sagemaker.recorded": "9" * 20}
    second = client.create_run(place, run_name="second", tags=late).info.run_id
    client.create_run(place, run_name="below", tags={"mlflow.parentRunId": second})
    assert write(tracking) == first
    assert set(everything(experiments)) == {"abc", "Train", "Tune", "trial 0", "trial 1", "trial 2"}


def test_names_and_values_of_any_kind_are_taken(tracking: Tracking, experiments: Experiments) -> None:
    many = {f"parameter {number}": str(number) for number in range(250)}
    odd = replace(
        TRAIN,
        parameters=many | {"α/β|γ": "ü" * 9_000, "n" * 300: "", "": "no name", "half": "\ud83d"},
        metrics={"map@10": Measured(0.25), "auc": Measured(math.nan), "loss": Measured(-math.inf)},
        tags={"failure_reason": "x" * 9_000},
    )
    for _ in range(2):
        write(tracking, odd)
    run = experiments.run("fraud", "Train")
    assert len(run.data.params) == 254
    assert (run.data.params["_"], run.data.params["half"]) == ("no name", "?")
    assert run.data.params["α_β_γ"].endswith("ü…")
    assert run.data.metrics["map_10"] == 0.25
    assert math.isnan(run.data.metrics["auc"])
    # What MLflow has in the place of the infinite.
    assert run.data.metrics["loss"] == -sys.float_info.max
    assert run.data.tags["failure_reason"].startswith("xxx")


@pytest.mark.parametrize("name", ["../../etc", "..", ".", "/etc", "~/.ssh", "a//b", "a/./b", "a/", "-", " ", "\n"])
def test_a_metric_whose_name_is_a_path_keeps_no_run_from_being_recorded(
    tracking: Tracking, experiments: Experiments, name: str
) -> None:
    write(tracking, replace(TRAIN, parameters={name: "x"}, metrics={name: Measured(1)}))
    run = experiments.run("fraud", "Train")
    assert run.info.status == "FINISHED"
    assert (list(run.data.metrics.values()), list(run.data.params.values())) == ([1], ["x"])


def test_an_experiment_that_somebody_deleted_is_not_revived(tracking: Tracking, experiments: Experiments) -> None:
    write(tracking)
    found = experiments.client.get_experiment_by_name("fraud")
    assert found
    experiments.client.delete_experiment(found.experiment_id)
    with pytest.raises(TrackingError, match="active"):
        write(tracking)
