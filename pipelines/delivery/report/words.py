"""What a report says in words: the verdict in one sentence, its numbers, and how states are called and marked."""

import math
from dataclasses import dataclass

from pipelines.delivery.gate import Check, package_name
from pipelines.delivery.report.facts import Champion, Facts
from pipelines.delivery.report.numbers import count, number, signed
from pipelines.delivery.wording import ON_OTHER_DATA, duration

_METRICS = {
    "auc": "ROC AUC",
    "roc_auc": "ROC AUC",
    "f0_5": "F0.5",
    "f1": "F1",
    "f2": "F2",
    "mae": "MAE",
    "mse": "MSE",
    "rmse": "RMSE",
    "r2": "R²",
}
_SIGNS = {
    "Equals": "=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": "≥",
    "LessThan": "<",
    "LessThanOrEqualTo": "≤",
}
AUC_MEANS = (
    "ROC AUC is the chance that the model ranks a positive case above a negative one, both picked at random: "
    "0.5 is guessing, 1 is perfect."
)


@dataclass(frozen=True)
class Headline:
    """The verdict as a mark, a word and what it means."""

    kind: str
    icon: str
    word: str
    meaning: str
    sentence: str


@dataclass(frozen=True)
class Figure:
    """A number of the first screen, with a word on it."""

    name: str
    value: str
    note: str = ""
    good: bool | None = None


def metric_name(name: str | None) -> str:
    """Return what people call a metric."""
    if name is None:
        return "metric"
    return _METRICS.get(name, name.replace("_", " "))


def comparison(check: Check) -> str:
    """Return the numbers of a condition."""
    return f"{number(check.value)} {_SIGNS.get(check.operator, check.operator)} {number(check.threshold)}"


def headline(facts: Facts) -> Headline:
    """Return the verdict in one sentence."""
    if facts.status == "Stopped":
        return Headline(
            "stopped",
            "⏹",
            "Stopped",
            "there is no verdict",
            "The run was stopped before it ended. Nothing is wrong with the model: it was not judged.",
        )
    return {"registered": _registered, "rejected": _rejected, "finished": _finished}.get(
        facts.verdict.outcome, _failed
    )(facts)


def figures(facts: Facts) -> list[Figure]:
    """Return the numbers that a first look is for."""
    found: list[Figure] = []
    if facts.value is not None:
        found.append(_value(facts))
    if facts.difference is not None and facts.champion:
        against = f"{facts.champion.name} has {number(facts.champion.value)}"
        if facts.champion.has_other_data:
            against = f"{against}, {ON_OTHER_DATA}"
        found.append(Figure("Against the champion", signed(facts.difference), against))
    trials = facts.verdict.trials
    if trials:
        best = f"best {trials.objective} {number(trials.best)}" if trials.objective else ""
        failed = f"{trials.failed} failed" if trials.failed else ""
        found.append(Figure("Trials", f"{trials.completed} of {trials.total}", ", ".join(filter(None, (failed, best)))))
    if facts.seconds is not None:
        steps = f"{len(facts.steps)} step{'' if len(facts.steps) == 1 else 's'}"
        found.append(Figure("Time", duration(facts.seconds), f"{steps}, {facts.cached} from the cache"))
    return found


def champion_means(champion: Champion) -> str:
    """Return what the comparison with a champion is worth."""
    means = "The champion is the newest approved model that was registered before."
    if champion.has_other_data:
        return f"{means} Its number is from other data, and so from another test set: the difference says little."
    return f"{means} Its number is from the test set of its own run."


def reason(facts: Facts) -> str | None:
    """Return the gate's own words where the sentence does not say the same."""
    return facts.verdict.reason if facts.verdict.outcome in {"rejected", "failed"} else None


def measured(facts: Facts) -> str:
    """Return whose quality the last report tells."""
    report = facts.report
    if report is None:
        return ""
    items = report.quality.items
    rows = f" on {count(items)} rows that no training saw" if items is not None else ""
    rejecting = [step.name for step in facts.steps if step.state == "rejected" and step.type == "Processing"]
    without = [step for step in rejecting if step not in {each.step for each in facts.reports}]
    earlier = f" The model that {without[-1]} rejected has no report; this is the one before it." if without else ""
    # Without steps it is no run that is told of, but one of its results.
    by = f" by {report.step}" if facts.steps else ""
    comma = "," if by and rows else ""
    return f"Measured{by}{comma}{rows}.{earlier}"


def _value(facts: Facts) -> Figure:
    name, threshold = metric_name(facts.metric), facts.threshold
    note = "" if threshold is None else f"threshold {number(threshold)}"
    if facts.tuned_value is not None and facts.first_value is not None:
        note = ", ".join(filter(None, (note, f"before tuning {number(facts.first_value)}")))
    return Figure(name, number(facts.value), note)


def _registered(facts: Facts) -> Headline:
    package = package_name(facts.verdict.model_package_arn)
    waits = facts.package.approval if facts.package else ""
    meaning = {
        "PendingManualApproval": "the model waits for a person's approval",
        "Approved": "the model is approved",
        "Rejected": "the model is kept, but marked as rejected",
    }.get(waits, "the model is in the registry")
    tuned = " The first model fell short, so it was tuned." if facts.tuned_value is not None else ""
    sentence = f"{_position(facts) or 'The gate let the model through.'}{tuned} It stands in the registry as {package}."
    return Headline("registered", "✅", "Registered", meaning, sentence)


def _rejected(facts: Facts) -> Headline:
    sentence = f"{_position(facts) or 'The gate turned the model down.'} {_kept(facts)}"
    return Headline("rejected", "⛔", "Rejected", "the model is not good enough", sentence)


def _kept(facts: Facts) -> str:
    if facts.verdict.model_package_arn:
        return f"It stands in the registry as {package_name(facts.verdict.model_package_arn)}, for nobody to use."
    return "No model was registered; whatever is in use stays in use."


def _finished(facts: Facts) -> Headline:
    sentence = f"All {len(facts.steps)} steps succeeded. This pipeline registers no model."
    return Headline("finished", "✅", "Finished", "every step succeeded", sentence)


def _failed(facts: Facts) -> Headline:
    broken = [step.name for step in facts.steps if step.state == "failed"]
    where = f"{', '.join(broken)} failed" if broken else "The execution failed"
    package = facts.verdict.model_package_arn
    rest = f"; {package_name(package)} was registered before" if package else ", so no model was registered"
    return Headline("failed", "❌", "Failed", "the pipeline broke", f"{where}{rest}.")


def _position(facts: Facts) -> str:
    value, threshold = facts.value, facts.threshold
    if value is None:
        return ""
    name = metric_name(facts.metric)
    whose = "The tuned model's" if facts.tuned_value is not None else "The model's"
    place = "" if threshold is None else f", {_side(value, threshold)} the threshold of {number(threshold)}"
    return f"{whose} {name} is {number(value)}{place}."


def _side(value: float, threshold: float) -> str:
    if math.isclose(value, threshold, rel_tol=0, abs_tol=1e-12):
        return "exactly at"
    return "above" if value > threshold else "below"
