"""The page of a step: its job's inputs, outputs, settings, log and numbers, and what the cache said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.delivery.definition import Run
from pipelines.delivery.documents import read_document
from pipelines.delivery.evaluation import Evaluation
from pipelines.delivery.execution import Follower
from pipelines.delivery.followed import read_run
from pipelines.delivery.gate import Verdict
from pipelines.delivery.jobs import Jobs
from pipelines.delivery.misses import reasons
from pipelines.delivery.report import panels
from pipelines.delivery.report.facts import Facts, Report
from pipelines.delivery.report.graph import Graph, read_graph
from pipelines.delivery.report.markup import Markup
from pipelines.delivery.report.quality import read_importance, read_quality
from pipelines.delivery.report.words import comparison, metric_name
from pipelines.delivery.snapshot import Execution, Step
from pipelines.delivery.wording import result as told
from pipelines.delivery.wording import state
from pipelines.ui.jobs import Job, read_job
from pipelines.ui.log import Log, read_log
from pipelines.ui.pages.execution import find_arn
from pipelines.ui.rendering import address, missing, render, site

if TYPE_CHECKING:
    from pipelines.delivery.run import Site


@dataclass(frozen=True)
class Source:
    """The execution that a cached step's result is of."""

    name: str
    address: str


@dataclass(frozen=True)
class Neighbours:
    """The steps that a step waits for, and those that wait for it."""

    before: tuple[str, ...]
    after: tuple[str, ...]


def show(request: Request) -> Response:
    """Show a step, as it is now."""
    place, names = site(request), request.path_params
    arn = find_arn(request)
    run = read_run(place.client, arn)
    follower = Follower(place.client, run.definition, interval=place.interval)
    execution = follower.look(arn)
    graph = read_graph(run.definition.text)
    plan, step = run.definition.steps.get(names["step"]), execution.find(names["step"])
    if plan is None:
        raise missing(f"{names['pipeline']} has no step {names['step']}: it has {', '.join(run.definition.steps)}")
    base = address("pipelines", names["pipeline"], "executions", names["execution"])
    shown = {
        "title": f"{plan.name} of {names['execution']}",
        "pipeline": names["pipeline"],
        "execution": names["execution"],
        "base": base,
        "plan": plan,
        "step": step,
        "neighbours": _neighbours(plan.name, graph),
        "has_ended": execution.has_ended,
        **_known(place, run, execution, step, follower.jobs),
    }
    return render(request, "step.html", shown, live=not execution.has_ended and not (step and step.has_ended))


def _known(place: Site, run: Run, execution: Execution, step: Step | None, jobs: Jobs) -> dict[str, object]:
    """Return what is known of a step that was scheduled."""
    if step is None:
        return {"state": "not run", "job": None}
    job = read_job(place, step.type, step.arn) if step.arn else None
    told_reasons = place.explain(execution.arn) if place.explain else {}
    checks = [each for each in Evaluation(place, jobs).checks(execution, run) if each.step == step.name]
    return {
        "state": state(step),
        "says": told(step),
        "job": job,
        "log": _log(place, step),
        "show_log": place.places.show_log(step),
        "source": _source(step),
        "cache_reason": reasons(execution, run, told_reasons).get(step.name),
        "checks": [(metric_name(check.metric), comparison(check)) for check in checks],
        "quality": _quality(place, run, step, job),
    }


def _neighbours(name: str, graph: Graph) -> Neighbours:
    return Neighbours(
        before=tuple(edge.source for edge in graph.edges if edge.target == name),
        after=tuple(edge.target for edge in graph.edges if edge.source == name),
    )


def _source(step: Step) -> Source | None:
    if step.cache_source is None:
        return None
    pipeline, _, name = step.cache_source.partition("pipeline/")[2].partition("/execution/")
    return Source(name, address("pipelines", pipeline, "executions", name, "steps", step.name))


def _log(place: Site, step: Step) -> Log | None:
    file = place.places.log(step)
    return read_log(file) if file and place.places.root else None


def _quality(place: Site, run: Run, step: Step, job: Job | None) -> Markup | None:
    """Return the curves of the report that a step wrote."""
    for uri in _report_uris(run, step, job):
        quality = read_quality(read_document(place.s3, uri))
        if quality:
            facts = Facts("", "", "", Verdict("finished", ""), reports=(Report(step.name, quality),))
            importance = read_importance(read_document(place.s3, f"{uri.rpartition('/')[0]}/feature_importance.json"))
            shown = panels.quality(facts), panels.importance(replace(facts, importance=importance))
            return Markup("".join(part for part in shown if part))
    return None


def _report_uris(run: Run, step: Step, job: Job | None) -> Iterator[str]:
    folders = {data.name: data.uri for data in job.outputs} if job else {}
    for file in run.definition.steps[step.name].reports.values():
        if file.output in folders:
            yield f"{folders[file.output].rstrip('/')}/{file.path.lstrip('/')}"


ROUTES = (Route("/pipelines/{pipeline}/executions/{execution}/steps/{step}", show),)
