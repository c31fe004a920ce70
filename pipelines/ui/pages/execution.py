"""The page of an execution: what became of it, its graph with the states of now, and what is known of its model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.delivery.report import panels
from pipelines.delivery.report.facts import Facts, StepFact
from pipelines.delivery.report.gather import gather
from pipelines.delivery.report.markup import Markup
from pipelines.delivery.report.numbers import number
from pipelines.delivery.report.words import Figure
from pipelines.delivery.run import Result, review
from pipelines.delivery.wording import duration
from pipelines.ui.rendering import address, render, site
from pipelines.ui.runs import kind_of, seconds_of

UNDER_WAY = frozenset({"starting", "running", "stopping"})


@dataclass(frozen=True)
class Part:
    """A section of the page."""

    key: str
    title: str
    content: Markup


def show(request: Request) -> Response:
    """Show an execution, as it is now."""
    pipeline, name = request.path_params["pipeline"], request.path_params["execution"]
    result = review(site(request), find_arn(request))
    facts = _of_now(gather(site(request), result), result)
    base = address("pipelines", pipeline, "executions", name)

    def link(step: str) -> str:
        return f"{base}{address('steps', step)}"

    shown = {
        "title": f"{name} of {pipeline}",
        "pipeline": pipeline,
        "name": name,
        "kind": kind_of(result),
        "facts": facts,
        "verdict": panels.verdict(facts) if result.execution.has_ended else None,
        "under_way": [step.name for step in facts.steps if step.state in UNDER_WAY],
        "figures": tuple(_figures(facts, result)),
        "picture": panels.pipeline(facts, link),
        "link": link,
        "parts": tuple(_parts(facts)),
        "run": panels.run(facts),
    }
    return render(request, "execution.html", shown, live=not result.execution.has_ended)


def find_arn(request: Request) -> str:
    """Return the ARN of the execution that an address names."""
    names = request.path_params
    pipeline = site(request).client.describe_pipeline(PipelineName=names["pipeline"])
    return f"{pipeline['PipelineArn']}/execution/{names['execution']}"


def _of_now(facts: Facts, result: Result) -> Facts:
    """Return the facts of an execution that goes on with times up to now, and steps that may come as waiting."""
    if result.execution.has_ended:
        return facts
    nodes = (replace(node, state="waiting") if node.state == "not run" else node for node in facts.graph.nodes)
    return replace(
        facts,
        seconds=seconds_of(result),
        steps=tuple(_so_far(step, result) for step in facts.steps),
        graph=replace(facts.graph, nodes=tuple(nodes)),
    )


def _so_far(step: StepFact, result: Result) -> StepFact:
    found = result.execution.find(step.name)
    if step.seconds is not None or found is None or found.started is None:
        return step
    return replace(step, seconds=(datetime.now(UTC) - found.started).total_seconds())


def _figures(facts: Facts, result: Result) -> Iterator[Figure]:
    """Yield the numbers of an execution that goes on."""
    if facts.seconds is not None:
        yield Figure("Time so far", duration(facts.seconds))
    ended = sum(step.has_ended for step in result.execution.steps)
    coming = sum(node.state == "waiting" for node in facts.graph.nodes)
    yield Figure("Steps", str(ended), f"ended; at most {coming} still to come" if coming else "ended")
    if facts.value is not None:
        note = f"threshold {number(facts.threshold)}" if facts.threshold is not None else ""
        yield Figure("ROC AUC", number(facts.value), note)
    trials = facts.verdict.trials
    if trials:
        best = f"best {trials.objective} {number(trials.best)}" if trials.objective else ""
        yield Figure("Trials", f"{trials.completed} of {trials.total}", best)


def _parts(facts: Facts) -> Iterator[Part]:
    for key, title, make in (
        ("quality", "How good the model is", panels.quality),
        ("champion", "Against the champion", panels.champion),
        ("trials", "The trials", panels.trials),
        ("importance", "What the model decides by", panels.importance),
    ):
        if (content := make(facts)) is not None:
            yield Part(key, title, content)


ROUTES = (Route("/pipelines/{pipeline}/executions/{execution}", show),)
