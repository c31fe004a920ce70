"""Whole runs against a scripted service."""

import io
from collections.abc import Sequence
from threading import Event
from typing import Any

from pipelines.delivery.attention import Attention
from pipelines.delivery.definition import Run, parse_definition
from pipelines.delivery.progress import Lines
from pipelines.delivery.run import Explain, Result, Site, complete
from tests.delivery.pipelines import TWO_BRANCHES
from tests.delivery.scripted import (
    EARLIER,
    EXECUTION,
    PACKAGE,
    Answers,
    Script,
    described,
    entry,
    job,
    listed,
    packaged,
    processed,
    trained,
    tuning,
)

CACHED: dict[str, Any] = {"CacheHitResult": {"SourcePipelineExecutionArn": EARLIER}}
REPORTS = {
    "s3://bucket/untuned/evaluation.json": '{"binary_classification_metrics": {"auc": {"value": 0.8071}}}',
    "s3://bucket/tuned/evaluation.json": '{"binary_classification_metrics": {"auc": {"value": 0.8643}}}',
}
TUNED_STEPS = (
    entry("Train", metadata=job("TrainingJob", "train"), **CACHED),
    entry("Evaluate", metadata=job("ProcessingJob", "evaluate")),
    entry("AucGate", metadata={"Condition": {"Outcome": "True"}}),
    entry("Tune", metadata=job("TuningJob", "tune")),
    entry("EvaluateTuned", metadata=job("ProcessingJob", "evaluate-tuned")),
    entry("RegisterTuned", metadata={"RegisterModel": {"Arn": PACKAGE}}),
)


def script(status: str = "Succeeded", steps: Sequence[dict[str, Any]] = TUNED_STEPS, **answers: Answers) -> Script:
    """A service where the execution has ended."""
    return Script(
        {
            "DescribePipelineExecution": described(status),
            "ListPipelineExecutionSteps": listed(*steps),
            "DescribeTrainingJob": trained(train__auc=0.95, validation__auc=0.8112),
            "DescribeHyperParameterTuningJob": tuning(5, 0, best=0.8701),
            "DescribeProcessingJob": processed("s3://bucket/untuned"),
            "DescribeLogStreams": {"logStreams": []},
            "DescribeModelPackage": packaged("s3://bucket/tuned/evaluation.json"),
            **answers,
        },
        REPORTS,
    )


def site(service: Script, *, explain: Explain | None = None, stops: bool = True) -> Site:
    """The scripted service as a run sees it; nothing in it needs a pause."""
    return Site(service.session, 0.001, stops_on_interrupt=stops, explain=explain)


def run_of(definition: str = TWO_BRANCHES, **parameters: str) -> Run:
    """A run of a definition."""
    return Run(parse_definition(definition), parameters)


def finish(
    service: Script,
    *,
    run: Run | None = None,
    out: io.StringIO | None = None,
    interrupt: Event | None = None,
    explain: Explain | None = None,
    stops: bool = True,
    minutes: float | None = None,
    max_regression: float | None = None,
) -> Result:
    """Follow the execution to its end."""
    progress = Lines(out or io.StringIO())
    where, attention = site(service, explain=explain, stops=stops), Attention(interrupt, minutes=minutes)
    return complete(where, EXECUTION, run or run_of(), progress, attention, max_regression=max_regression)
