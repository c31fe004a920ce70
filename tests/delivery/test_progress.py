"""What a person sees: lines, the table as text, and the summary."""

import io
import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.delivery.logs import Tail
from pipelines.delivery.outcome import make_outcome
from pipelines.delivery.places import Places
from pipelines.delivery.progress import Lines, is_interactive, make_progress
from pipelines.delivery.run import Result
from pipelines.delivery.snapshot import Execution, Step, Trials
from pipelines.delivery.summary import summarize
from pipelines.delivery.table import Table
from pipelines.delivery.wording import duration
from tests.delivery.pipelines import NO_GATE
from tests.delivery.runs import REPORTS, TUNED_STEPS, finish, run_of, script
from tests.delivery.scripted import EARLIER, EXECUTION, PACKAGE, START, entry, job, processed

MODULE_NAMES = "import json, sys; from pipelines.delivery import progress; print(json.dumps(sorted(sys.modules)))"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def execution(*steps: Step, status: str = "Executing") -> Execution:
    return Execution(EXECUTION, status, START, at(9.5) if status != "Executing" else None, None, steps)


CACHED = Step(
    "Train", "Training", "Succeeded", at(0), at(0.1), cache_source=EARLIER, metrics={"validation:auc": 0.8112}
)
EVALUATED = Step("Evaluate", "Processing", "Succeeded", at(1), at(3.4))
CHOSE = Step("AucGate", "Condition", "Succeeded", at(3.5), at(3.5), outcome=True)
TUNED = Step("Tune", "Tuning", "Succeeded", at(4), at(8), trials=Trials(4, 0, 1, 5, "validation:auc", 0.87, "t-1"))
REGISTERED = Step("RegisterTuned", "RegisterModel", "Succeeded", at(9), at(9), arn=PACKAGE)
FAILED = Step("EvaluateTuned", "Processing", "Failed", at(8), at(9), failure_reason="ClientError:\n\x1b[31mno file")


def test_lines_tell_each_change_once() -> None:
    out = io.StringIO()
    lines, started = Lines(out), replace(EVALUATED, status="Executing", ended=None)
    for steps in ([CACHED], [CACHED, started], [CACHED, started], [CACHED, EVALUATED]):
        lines.show(execution(*steps))
    told = [line.strip().partition("  ")[2] for line in out.getvalue().splitlines()]
    assert told == ["Train: cached, validation:auc 0.8112", "Evaluate: running", "Evaluate: succeeded in 2.4 s"]


def test_a_line_begins_with_the_time_since_the_start() -> None:
    out = io.StringIO()
    Lines(out).show(execution(EVALUATED))
    assert out.getvalue() == "    3.4 s  Evaluate: succeeded in 2.4 s\n"


def test_a_reason_stays_on_its_line_and_cannot_act_on_the_terminal() -> None:
    out = io.StringIO()
    Lines(out).show(execution(FAILED))
    assert out.getvalue() == "    9.0 s  EvaluateTuned: failed in 1.0 s, ClientError: [31mno file\n"


def test_a_long_reason_is_cut_in_a_line_and_whole_in_the_summary() -> None:
    reason = "ClientError: " + "no file " * 50
    out = io.StringIO()
    Lines(out).show(execution(replace(FAILED, failure_reason=reason)))
    said = out.getvalue().partition("failed in 1.0 s, ")[2].rstrip("\n")
    assert (len(said), said[-1]) == (100, "…")
    failed = entry("EvaluateTuned", "Failed", metadata=job("ProcessingJob", "evaluate"), FailureReason=reason)
    assert " ".join(reason.split()) in summary(finish(script("Failed", [failed])))[1]


def test_a_rejection_is_no_failure_in_words() -> None:
    out = io.StringIO()
    Lines(out).show(execution(replace(FAILED, failure_reason="ClientError: GateRejected: too low, exit code: 1")))
    assert out.getvalue() == "    9.0 s  EvaluateTuned: rejected in 1.0 s, too low\n"


@pytest.mark.parametrize(
    ("terminal", "environment", "interactive"),
    [
        (True, {"TERM": "xterm-256color"}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {}, False),
        (True, {"TERM": "xterm", "CI": "true"}, False),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_only_an_interactive_terminal_gets_the_table(
    terminal: bool, environment: dict[str, str], interactive: bool
) -> None:
    primary, secondary = pty.openpty()
    with os.fdopen(primary), os.fdopen(secondary, "w") as tty, io.StringIO() as pipe:
        out = tty if terminal else pipe
        assert is_interactive(out, environment) is interactive
        progress = make_progress(run_of().definition, "fraud", out, environment)
        assert isinstance(progress, Table if interactive else Lines)


def test_lines_do_not_pay_for_rich() -> None:
    answer = subprocess.run([sys.executable, "-c", MODULE_NAMES], check=True, capture_output=True, text=True)
    assert not {"rich", "boto3", "sagemaker", "pydantic"} & set(json.loads(answer.stdout))


def drawn(shown: Execution, *, encoding: str = "utf-8", width: int = 72) -> list[str]:
    """The table as text."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=out, width=width, force_terminal=False, color_system=None)
    table = Table(run_of().definition, "fraud", console)
    table._execution = shown
    with console.capture() as capture:
        console.print(table.render())
    return [line.rstrip() for line in capture.get().splitlines()]


def test_the_table_shows_every_step_with_state_time_and_result() -> None:
    tuned = replace(TUNED, metrics={"validation:auc": 0.87})
    shown = execution(CACHED, EVALUATED, CHOSE, tuned, FAILED, status="Failed")
    assert drawn(shown) == [
        "fraud  Failed  9.5 s",
        "Step           State         Time  Result",
        "Train          ↺ cached            validation:auc 0.8112",
        "Evaluate       ✔ succeeded  2.4 s",
        "AucGate        ✔ succeeded  0.0 s  true",
        "Tune           ✔ succeeded  4.0 s  trials 4/5, 1 failed, validation:auc…",
        "EvaluateTuned  ✘ failed     1.0 s  ClientError: [31mno file",
        "RegisterTuned  – not run",
        "Register       – not run",
    ]


def test_a_terminal_without_unicode_gets_ascii() -> None:
    lines = drawn(execution(CACHED, EVALUATED, status="Succeeded"), encoding="ascii")
    assert lines[2:5] == [
        "Train          = cached            validation:auc 0.8112",
        "Evaluate       + succeeded  2.4 s",
        "AucGate        - not run",
    ]


def test_a_running_step_shows_the_time_that_it_runs_and_others_wait() -> None:
    running = replace(EVALUATED, status="Executing", started=datetime.now(UTC) - timedelta(seconds=90), ended=None)
    lines = drawn(execution(CACHED, running))
    assert "▶ running" in lines[3]
    assert "1 min 30 s" in lines[3]
    assert "· waiting" in lines[4]


def test_the_live_table_stays_on_the_screen_after_its_end() -> None:
    out = io.StringIO()
    table = Table(run_of().definition, "fraud", Console(file=out, width=72, force_terminal=True, color_system=None))
    table.show(execution(CACHED))
    table.say("stopping")
    table.show(execution(CACHED, REGISTERED, status="Succeeded"))
    table.close()
    assert "stopping" in out.getvalue()
    assert "fraud/3" in out.getvalue()
    assert out.getvalue().endswith("\x1b[?25h")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.04, "0.0 s"), (-1, "0.0 s"), (59.94, "59.9 s"), (59.96, "1 min 00 s"), (3725, "1 h 02 min")],
)
def test_a_time_is_said_as_people_say_it(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def summary(result: Result, root: Path | None = None) -> list[str]:
    """The lines at the end."""
    return list(
        summarize(
            replace(result, places=Places(root)), lambda name, value: f"run {name}={value}", lambda arn: f"see {arn}"
        )
    )


def test_the_summary_of_a_registration() -> None:
    result = finish(script(), explain=lambda _: {"Evaluate": "the image changed", "Tune": "the image changed"})
    assert summary(result, Path("root")) == [
        "",
        "REGISTERED: RegisterTuned registered model package fraud/3 (12.5 s)",
        "  ROC AUC        0.8071 <= 0.85 is true (AucGate)",
        "  tuned ROC AUC  0.8643",
        "  trials         5 of 5 completed, best validation:auc 0.8701",
        f"  model package  {PACKAGE}",
        "  model          root/s3/bucket/models/tune-001/output/model.tar.gz",
        "  evaluation     root/s3/bucket/tuned/evaluation.json",
        "  logs           root/logs",
        f"  execution      {EXECUTION}",
        "  not cached     Evaluate, Tune: the image changed",
        f"decide: see {PACKAGE}",
        "next: run RocAucThreshold=0.80  # takes the other branch",
    ]


def measured(value: float, threshold: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    """A run whose untuned model has this ROC AUC."""
    report = json.dumps({"binary_classification_metrics": {"auc": {"value": value}}})
    monkeypatch.setitem(REPORTS, "s3://bucket/untuned/evaluation.json", report)
    return finish(script(), run=run_of(RocAucThreshold=threshold))


def test_the_other_side_of_a_threshold_below_is_above_the_metric() -> None:
    result = finish(script(), run=run_of(RocAucThreshold="0.75"))
    assert summary(result)[-1] == "next: run RocAucThreshold=0.81  # takes the other branch"


@pytest.mark.parametrize(
    ("value", "threshold", "other"),
    [
        (0.9946, "0.85", "0.995"),
        (0.99996, "0.85", "0.99997"),
        (0.0099, "0.85", "0.009"),
        # What binary numbers make of their hundredfold is a little less, or more.
        (0.29, "0.2", "0.30"),
        (0.57, "0.6", "0.56"),
        (0.99, "0.85", "0.991"),
    ],
)
def test_the_other_threshold_is_between_0_and_1_with_as_many_digits_as_that_takes(
    value: float, threshold: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = summary(measured(value, threshold, monkeypatch))
    assert lines[-1] == f"next: run RocAucThreshold={other}  # takes the other branch"


@pytest.mark.parametrize(("value", "threshold"), [(1.0, "0.85"), (0.99999999, "0.85"), (0.0, "0.85")])
def test_where_no_threshold_would_take_the_other_branch_none_is_told(
    value: float, threshold: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = summary(measured(value, threshold, monkeypatch))
    assert not [line for line in lines if line.startswith("next:")]


@pytest.mark.parametrize(
    ("root", "command"),
    [
        (Path("root"), "cat root/s3/bucket/untuned/evaluation.json"),
        (None, "aws s3 cp s3://bucket/untuned/evaluation.json -"),
    ],
)
def test_a_rejection_points_to_the_report(root: Path | None, command: str) -> None:
    evaluated = entry("Evaluate", metadata=job("ProcessingJob", "evaluate"))
    chose = entry("AucGate", metadata={"Condition": {"Outcome": "True"}})
    lines = summary(finish(script(steps=[evaluated, chose])), root)
    assert lines[1].startswith("REJECTED: no step that registers a model was reached (AucGate is true)")
    assert lines[-1] == f"next: {command}  # what the gate saw"


def rejected(folder: str) -> Result:
    """A run whose tuned model was rejected by a job that writes its report into the folder."""
    said = "ClientError: AlgorithmError: GateRejected: tuned model's ROC AUC 0.8412 is not above the threshold 0.85"
    failed = entry("EvaluateTuned", "Failed", metadata=job("ProcessingJob", "evaluate-tuned"), FailureReason=said)
    trial = "s3://bucket/models/tune-001/output/model.tar.gz"

    def describe(request: dict[str, Any]) -> dict[str, Any]:
        is_tuned = request["ProcessingJobName"] == "evaluate-tuned"
        return processed(folder if is_tuned else "s3://bucket/untuned", inputs=["s3://bucket/code/", trial])

    return finish(script("Failed", [*TUNED_STEPS[:4], failed], DescribeProcessingJob=describe))


def test_a_job_that_rejects_the_tuned_model_points_to_that_model_and_its_report() -> None:
    result = rejected("s3://bucket/tuned")
    lines = summary(result)
    assert "  model          s3://bucket/models/tune-001/output/model.tar.gz" in lines
    assert "  evaluation     s3://bucket/tuned/evaluation.json" in lines
    assert lines[-1] == "next: aws s3 cp s3://bucket/tuned/evaluation.json -  # what the gate saw"
    assert make_outcome(result)["artifacts"] == {
        "model": "s3://bucket/models/tune-001/output/model.tar.gz",
        "evaluation": "s3://bucket/tuned/evaluation.json",
    }


def test_a_job_that_rejects_and_leaves_no_report_points_to_the_one_before() -> None:
    lines = summary(rejected("s3://bucket/nothing"))
    assert "  model          s3://bucket/models/tune-001/output/model.tar.gz" in lines
    assert "  evaluation     s3://bucket/untuned/evaluation.json" in lines


@pytest.mark.parametrize(
    ("root", "command"),
    [
        (Path("root"), "tail -n 50 root/logs/aws/sagemaker/ProcessingJobs/prep/algo-1.log"),
        (None, "aws logs tail /aws/sagemaker/ProcessingJobs --log-stream-name-prefix prep --since 1d"),
    ],
)
def test_a_failure_points_to_the_log(root: Path | None, command: str) -> None:
    failed = entry("Preprocess", "Failed", metadata=job("ProcessingJob", "prep"), FailureReason="ClientError: no file")
    lines = summary(finish(script("Failed", [failed]), run=run_of(NO_GATE)), root)
    assert lines[1] == "FAILED: Preprocess failed: ClientError: no file (12.5 s)"
    assert lines[-1] == f"next: {command}"


def test_where_nothing_is_left_to_do_no_command_is_made_up() -> None:
    lines = summary(finish(script(steps=[entry("Preprocess")]), run=run_of(NO_GATE)))
    assert lines[1] == "FINISHED: every step succeeded; the pipeline registers no model (12.5 s)"
    assert not any(line.startswith("next:") for line in lines)


def test_a_stopped_run_is_called_so_and_says_what_is_kept() -> None:
    lines = summary(finish(script("Stopped", [entry("Preprocess")]), run=run_of(NO_GATE)))
    assert lines[1] == "STOPPED: the execution was stopped (12.5 s)"
    assert lines[-1] == "next: run the pipeline again: finished steps are reused"


def test_files_in_a_folder_with_a_space_are_quoted() -> None:
    lines = summary(finish(script()), Path("my root"))
    assert "  evaluation     'my root/s3/bucket/tuned/evaluation.json'" in lines
    assert "  logs           'my root/logs'" in lines
    failed = entry("Preprocess", "Failed", metadata=job("ProcessingJob", "prep"), FailureReason="ClientError: no file")
    result = finish(script("Failed", [failed]), run=run_of(NO_GATE))
    tail = Tail("my root/logs/prep/algo-1.log", ("no file",))
    lines = summary(replace(result, tails={"Preprocess": tail}), Path("my root"))
    assert "  log of Preprocess: 'my root/logs/prep/algo-1.log'" in lines
