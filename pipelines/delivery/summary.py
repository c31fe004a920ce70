"""The end of a run for a person: the verdict with its numbers, where everything is, and what to type next."""

import math
from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from pipelines.delivery.gate import Check, auc_check, package_name
from pipelines.delivery.misses import misses
from pipelines.delivery.outcome import evaluation_uri, model_uri
from pipelines.delivery.run import Result
from pipelines.delivery.wording import ON_OTHER_DATA, duration, one_line

Again = Callable[[str, str], str | None]
Decide = Callable[[str], str]

_HEADLINES = {"registered": "REGISTERED", "rejected": "REJECTED", "finished": "FINISHED", "failed": "FAILED"}
_FEWEST_DIGITS, _MOST_DIGITS = 2, 6
_SIGNS = {
    "Equals": "==",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
}


def summarize(result: Result, again: Again, decide: Decide) -> Iterator[str]:
    """Return the lines to print.

    Again gives the command that reruns this run with one parameter changed; decide gives the one that shows a model
    package to whoever is to approve it.
    """
    verdict = result.verdict
    yield ""
    headline = "STOPPED" if _is_stopped(result) else _HEADLINES[verdict.outcome]
    yield f"{headline}: {one_line(verdict.reason)} ({duration(result.execution.seconds)})"
    for name, text in (*_numbers(result), *_places(result)):
        yield f"  {name:<14} {one_line(text)}"
    for name, tail in result.tails.items():
        problem = f" {tail.problem}" if tail.problem else ""
        yield f"  log of {name}: {result.places.typed(tail.place)}{problem}"
        yield from (f"    {line}" for line in tail.lines)
    for name, text in misses(result):
        yield f"  not cached     {name}: {one_line(text)}"
    if verdict.outcome == "registered" and verdict.model_package_arn:
        yield f"decide: {decide(verdict.model_package_arn)}"
    if command := _next(result, again):
        yield f"next: {command}"


def _numbers(result: Result) -> Iterator[tuple[str, str]]:
    verdict = result.verdict
    for check in verdict.checks:
        chosen = next((branch.outcome for branch in verdict.branches if branch.step == check.step), None)
        answer = "" if chosen is None else f" is {str(chosen).lower()}"
        sides = f"{_number(check.value)} {_SIGNS.get(check.operator, check.operator)} {_number(check.threshold)}"
        yield "ROC AUC" if check is auc_check(verdict.checks) else check.metric, f"{sides}{answer} ({check.step})"
    if verdict.tuned_roc_auc is not None:
        yield "tuned ROC AUC", _number(verdict.tuned_roc_auc)
    if champion := verdict.champion:
        difference = "" if verdict.difference is None else f", this one {verdict.difference:+.4f}"
        other = f", {ON_OTHER_DATA}" if result.has_other_data else ""
        yield "champion", f"{_number(champion.value)}{difference} ({package_name(champion.arn)}{other})"
    if trials := verdict.trials:
        best = f", best {trials.objective} {_number(trials.best)}" if trials.objective else ""
        yield "trials", f"{trials.completed} of {trials.total} completed{best}"


def _places(result: Result) -> Iterator[tuple[str, str]]:
    places = result.places
    if result.verdict.model_package_arn:
        yield "model package", result.verdict.model_package_arn
    for name, uri in (("model", model_uri(result)), ("evaluation", evaluation_uri(result))):
        if uri:
            yield name, places.typed(places.artifact(uri))
    yield "logs", places.typed(places.logs)
    yield "execution", result.execution.arn


def _is_stopped(result: Result) -> bool:
    return result.execution.status == "Stopped"


def _next(result: Result, again: Again) -> str | None:
    if _is_stopped(result):
        return "run the pipeline again: finished steps are reused"
    if result.verdict.outcome == "failed":
        failed = (step for step in result.execution.steps if step.status == "Failed")
        return next((command for step in failed if (command := result.places.show_log(step))), None)
    if result.verdict.outcome == "rejected" and (uri := evaluation_uri(result)):
        return f"{result.places.show_artifact(uri)}  # what the gate saw"
    check = auc_check(result.verdict.checks)
    threshold = _other_side(check) if check else None
    command = again(check.parameter, threshold) if check and check.parameter and threshold else None
    return f"{command}  # takes the other branch" if command else None


def _other_side(check: Check) -> str | None:
    """Return a threshold between 0 and 1 that puts the value on its other side; it has two digits where they do."""
    if check.value is None or check.threshold is None or not math.isfinite(check.value):
        return None
    value, below = Decimal(str(check.value)), check.value <= check.threshold
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS + 1):
        unit = Decimal(1).scaleb(-digits)
        other = value.quantize(unit, ROUND_CEILING) - unit if below else value.quantize(unit, ROUND_FLOOR) + unit
        if 0 < other < 1:
            return str(other)
    return None


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")
