"""An execution as a run of MLflow, with its training and tuning jobs below it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pipelines.delivery.documents import read_document
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.gate import Outcome
from pipelines.delivery.outcome import evaluation_uri, model_uri
from pipelines.delivery.report import html, markdown
from pipelines.delivery.report.escaping import code
from pipelines.delivery.report.facts import Facts
from pipelines.delivery.report.gather import gather
from pipelines.delivery.report.words import headline
from pipelines.delivery.run import Result, Site, review
from pipelines.delivery.snapshot import Step
from pipelines.delivery.tracking.opening import open_store
from pipelines.delivery.tracking.places import Tracking
from pipelines.delivery.tracking.plots import plots
from pipelines.delivery.tracking.records import Measured, Record, Status
from pipelines.delivery.tracking.training import training_record
from pipelines.delivery.tracking.tuning import tuning_record
from pipelines.delivery.wording import duration

# A model that the gate turned down is what the pipeline is for; it has not failed.
_STATUSES: dict[Outcome, Status] = {
    "registered": "FINISHED",
    "finished": "FINISHED",
    "rejected": "FINISHED",
    "failed": "FAILED",
}
# The address, on the page, of the run of an execution, by the execution's ARN; none where it was not recorded.
Links = Mapping[str, str | None]


def track_execution(site: Site, execution_arn: str, tracking: Tracking) -> str:
    """Record an execution that has ended, in the experiment of its pipeline's name, and return the run's ID.

    Recorded again, it is the same run. What its cached steps are from is recorded before it, if it is not yet.

    Raises:
        TrackingError: the store cannot be reached or read.
        DeliveryError: the execution has not ended.
    """
    return track_result(site, review(site, execution_arn), tracking)


def track_result(site: Site, result: Result, tracking: Tracking) -> str:
    """Record a run that was followed, with the verdict that it was given, and return the run's ID."""
    execution = result.execution
    if not execution.has_ended:
        raise DeliveryError(f"{execution.arn} is {execution.status}: record it when it has ended")
    facts = gather(site, result)
    store = open_store(tracking)
    experiment = store.experiment(execution.pipeline)
    sources = dict.fromkeys(step.cache_source for step in execution.steps if step.cache_source)
    runs = {arn: store.find(experiment, arn) or _track_source(site, arn, tracking) for arn in sources}
    links = {arn: run and f"#/experiments/{experiment}/runs/{run}" for arn, run in runs.items()}
    record = replace(
        _record(result, facts),
        note=_note(facts, execution.steps, links),
        files=dict(_files(site, result, facts)),
        children=tuple(_jobs(site, execution.steps, links)),
    )
    return store.write(experiment, record)


def _track_source(site: Site, execution_arn: str, tracking: Tracking) -> str | None:
    """Record where a cached step is from; none when the service knows nothing of it any more, or it still runs."""
    try:
        source = review(site, execution_arn)
    except site.client.exceptions.ResourceNotFound:
        return None
    return track_result(site, source, tracking) if source.execution.has_ended else None


def _record(result: Result, facts: Facts) -> Record:
    execution, verdict = result.execution, result.verdict
    return Record(
        key=execution.arn,
        kind="execution",
        name=execution.arn.rpartition("/")[2],
        status="KILLED" if execution.status == "Stopped" else _STATUSES[verdict.outcome],
        started=execution.started,
        ended=execution.ended,
        parameters={name: str(value) for name, value in facts.parameters.items() if value is not None},
        metrics={name: Measured(value, execution.ended) for name, value in _metrics(facts)},
        tags={
            "status": execution.status,
            "verdict": verdict.outcome,
            "reason": verdict.reason,
            "cached_steps": f"{facts.cached} of {len(facts.steps)}",
            "data_hash": facts.data_hash,
            "model": model_uri(result),
            "evaluation": evaluation_uri(result),
            "model_package": facts.package.arn if facts.package else None,
            "approval": facts.package.approval if facts.package else None,
            "mlflow.source.name": execution.pipeline,
            "mlflow.source.type": "JOB",
            "mlflow.source.git.commit": facts.commit,
        },
    )


def _metrics(facts: Facts) -> Iterator[tuple[str, float]]:
    """Yield the gate's numbers, and those of the last report.

    Runs are ranked by `roc_auc`, so it is that of the model that the run ended with, tuned or not.
    """
    verdict = facts.verdict
    numbers = {
        **({metric.name: metric.value for metric in facts.report.quality.metrics} if facts.report else {}),
        "roc_auc": verdict.candidate_roc_auc,
        "untuned_roc_auc": verdict.roc_auc,
        "threshold": verdict.threshold,
        "difference": verdict.difference,
    }
    for name, value in numbers.items():
        if value is not None and math.isfinite(value):
            yield name, value


def _note(facts: Facts, steps: tuple[Step, ...], links: Links) -> str:
    verdict = headline(facts)
    lines = [
        f"{verdict.icon} **{verdict.word}**: {verdict.sentence}",
        "",
        "| step | state | time | result |",
        "|---|---|--:|---|",
    ]
    for fact, step in zip(facts.steps, steps, strict=True):
        source = f"cached from {_link(step.cache_source, links)}" if step.cache_source else fact.state
        time = "" if step.cache_source else duration(fact.seconds)
        lines.append(f"| {code(fact.name)} | {source} | {time} | {code(fact.says)} |")
    return "\n".join(lines)


def _link(arn: str, links: Links) -> str:
    name, address = code(arn.rpartition("/")[2]), links[arn]
    return f"[{name}]({address})" if address else name


def _files(site: Site, result: Result, facts: Facts) -> Iterator[tuple[str, str]]:
    yield "report.html", html.render(facts)
    yield "report.md", markdown.render(facts)
    yield "definition.json", result.run.definition.text
    yield from plots(facts).items()
    for report in facts.reports:
        document = read_document(site.s3, report.uri)
        yield f"evaluation/{report.step}.json", json.dumps(document, indent=2)


def _jobs(site: Site, steps: tuple[Step, ...], links: Links) -> Iterator[Record]:
    """Yield the training and tuning jobs; one from the cache without its trials, which are those of its own run."""
    for step in steps:
        if step.job is None or step.type not in ("Training", "Tuning"):
            continue
        if step.type == "Training":
            record = training_record(site.client, step.job, step.name)
        else:
            record = tuning_record(site.client, step.job, step.name, with_trials=step.cache_source is None)
        if step.cache_source:
            record = replace(
                record,
                note=f"Nothing ran: the job is that of the execution {_link(step.cache_source, links)}.",
                tags={**record.tags, "cached_from": step.cache_source},
            )
        yield record
