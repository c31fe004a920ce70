"""The sections of the HTML report, each a pure function of the facts; none where there is nothing to say."""

from collections.abc import Callable, Iterator

from pipelines.delivery.report import charts
from pipelines.delivery.report.charts import Line, Mark
from pipelines.delivery.report.facts import Facts, Report, StepFact
from pipelines.delivery.report.flow import flow
from pipelines.delivery.report.markdown import run_facts
from pipelines.delivery.report.markup import Markup, join, tag
from pipelines.delivery.report.mermaid import ICONS
from pipelines.delivery.report.numbers import count, number, percent, setting, signed
from pipelines.delivery.report.parts import badge, command, figure, fold, legend, scrolling, small, table
from pipelines.delivery.report.quality import Curve, Quality, sample
from pipelines.delivery.report.timeline import timeline
from pipelines.delivery.report.words import (
    AUC_MEANS,
    champion_means,
    figures,
    headline,
    measured,
    metric_name,
    reason,
)
from pipelines.delivery.wording import ON_OTHER_DATA, duration

_TABLE_STEPS = 20
_DIAGONAL: Curve = ((0.0, 0.0), (1.0, 1.0))


def verdict(facts: Facts) -> Markup:
    """Return the first screen: what became of the run, by which numbers, and what to do now."""
    said, why = headline(facts), reason(facts)
    tiles = [
        tag("div", tag("dt", each.name), tag("dd", each.value), tag("dd", each.note) if each.note else None)
        for each in figures(facts)
    ]
    words = [
        tag("h1", badge(said.kind), said.word),
        tag("p", tag("strong", f"{said.meaning[0].upper()}{said.meaning[1:]}."), " ", said.sentence, class_="lead"),
        tag("p", tag("b", "Reason: "), why, class_="quote") if why else None,
    ]
    picture = _gate(facts)
    return tag(
        "section",
        tag("div", tag("div", *words), picture, class_="top two" if picture else "top"),
        tag("dl", *tiles, class_="tiles") if tiles else None,
        _next(facts),
        class_=f"verdict {said.kind}",
    )


def _gate(facts: Facts) -> Markup | None:
    if facts.value is None or facts.threshold is None:
        return None
    tuned = facts.tuned_value is not None
    marks = [Mark("tuned model" if tuned else "this model", facts.value)]
    if tuned and facts.first_value is not None:
        marks.append(Mark("first model", facts.first_value, "second"))
    if facts.champion and facts.champion.value is not None:
        marks.append(Mark("champion", facts.champion.value, "champion"))
    name = metric_name(facts.metric)
    said = "; ".join(f"{mark.name} {number(mark.value)}" for mark in marks)
    title = f"{name}: threshold {number(facts.threshold)}; {said}"
    meaning = tag("p", AUC_MEANS, class_="soft") if name == "ROC AUC" else None
    return figure(name, "", charts.gate("gate", title, facts.threshold, marks), meaning, level=2)


def _next(facts: Facts) -> Markup | None:
    if facts.package and facts.package.approval == "PendingManualApproval":
        return tag("div", command("To approve the model, run", facts.package.approve), style="margin-top:22px")
    logs = [_log(step) for step in facts.steps if step.show_log and step.state != "rejected"]
    return tag("div", *logs, style="margin-top:22px") if logs else None


def _log(step: StepFact) -> Markup:
    end = tag("pre", tag("code", "\n".join(step.log))) if step.log else None
    title = small(f"The end of the log of {step.name}", 2) if end else None
    return join(title, end, command(f"To read the log of {step.name}, run", step.show_log or ""))


def pipeline(facts: Facts, link: Callable[[str], str] | None = None) -> Markup | None:
    """Return the graph, with links to its steps if they have addresses, beside the time that they took."""
    parts = []
    if facts.graph.nodes:
        states = ", ".join(f"{node.name} {node.state}" for node in facts.graph.nodes)
        drawn = flow("flow", f"The pipeline's steps: {states}", facts.graph, link)
        caption = "From the top down. Dashed and grey: not reached."
        parts.append(figure("The way through the pipeline", caption, scrolling(drawn, "the pipeline")))
    if any(step.offset is not None for step in facts.steps):
        spent = ", ".join(f"{step.name} {duration(step.seconds)}" for step in facts.steps)
        caption = f"{facts.cached} of {len(facts.steps)} steps took an earlier run's result from the cache."
        drawn = timeline("timeline", f"When the steps ran: {spent}", facts.steps)
        parts.append(figure("When each step ran", caption, drawn))
    return tag("div", *parts, class_="pair") if parts else None


def quality(facts: Facts) -> Markup | None:
    """Return the curves, the confusion matrix and the metrics of the report that counts."""
    report = facts.report
    if report is None:
        return None
    says = tag("p", measured(facts), class_="soft")
    shown = [*_curves(facts, report), *_matrix(report.quality)]
    metrics = table(
        ("metric", "value", "± std. dev."),
        [
            (metric_name(each.name), number(each.value), "" if each.deviation is None else number(each.deviation))
            for each in report.quality.metrics
        ],
        numbers=(1, 2),
    )
    if report.quality.metrics:
        shown.append(tag("div", small("All metrics", 3), metrics) if len(shown) % 2 else fold("All metrics", metrics))
    return join(says, tag("div", *shown, class_="pair"))


def _curves(facts: Facts, report: Report) -> Iterator[Markup]:
    if report.quality.roc:
        lines = [*_lines(facts, "roc"), Line("guessing", _DIAGONAL, "third")]
        area = report.quality.find("auc")
        said = "the further to the upper left, the better" if area is None else f"the area below is {number(area)}"
        caption = f"Of all real cases, how many are found, for how many false alarms: {said}."
        axes = ("false positive rate", "true positive rate")
        yield _curve("ROC curve", caption, axes, lines)
    if report.quality.precision_recall:
        lines, base = _lines(facts, "precision_recall"), report.quality.base_rate
        caption = "Of the alarms, how many are right, for how many of the real cases found"
        if base is not None:
            lines.append(Line(f"guessing, {percent(base)}", ((0.0, base), (1.0, base)), "third"))
        yield _curve("Precision-recall curve", f"{caption}.", ("recall", "precision"), lines)


def _lines(facts: Facts, member: str) -> list[Line]:
    found = [(report.step, report.quality) for report in reversed(facts.reports)]
    styles = ["main", *["second"] * (len(found) - 1)]
    champion = facts.champion
    if champion and champion.quality:
        other = f", {ON_OTHER_DATA}" if champion.has_other_data else ""
        found.append((f"champion {champion.name}{other}", champion.quality))
        styles.append("champion")
    lines = zip(found, styles, strict=True)
    return [Line(name, points, style) for (name, each), style in lines if (points := getattr(each, member))]


def _curve(title: str, caption: str, axes: tuple[str, str], lines: list[Line]) -> Markup:
    key = title.partition(" ")[0].lower()
    names = ", ".join(line.name for line in lines)
    heights = [sample(line.curve, _TABLE_STEPS) for line in lines]
    rows = [
        (number(row / _TABLE_STEPS), *(number(values[row]) for values in heights)) for row in range(_TABLE_STEPS + 1)
    ]
    data = table((axes[0], *(line.name for line in lines)), rows, numbers=range(1, len(lines) + 1))
    drawn = charts.curves(key, f"{title}: {axes[1]} by {axes[0]}; {names}. {caption}", axes, lines)
    return figure(title, caption, drawn, legend(lines), fold("The numbers", data))


def _matrix(found: Quality) -> Iterator[Markup]:
    matrix = found.confusion
    if matrix is None:
        return
    title = "Confusion matrix: rows are what is so, columns what the model said"
    rows = [
        (f"actual {label}", *(f"{count(n)} ({percent(matrix.share(row, column))})" for column, n in enumerate(counts)))
        for row, (label, counts) in enumerate(zip(matrix.labels, matrix.counts, strict=True))
    ]
    heads = ("", *(f"predicted {label}" for label in matrix.labels))
    data = table(heads, rows, numbers=range(1, len(heads)))
    caption = "What the model said of what is so. Blue: right, orange: wrong; the stronger, the more of the row."
    yield figure("Confusion matrix", caption, charts.confusion("confusion", title, matrix), fold("The numbers", data))


def champion(facts: Facts) -> Markup | None:
    """Return the comparison with the newest approved model."""
    best, difference = facts.champion, facts.difference
    if best is None or difference is None:
        return None
    name = metric_name(facts.metric)
    rows = [
        ("this model", number(facts.value)),
        (f"champion, {best.name}", number(best.value)),
        ("difference", signed(difference)),
    ]
    note = champion_means(best)
    return join(tag("p", note, class_="soft"), tag("div", table(("model", name), rows, numbers=(1,)), class_="short"))


def trials(facts: Facts) -> Markup | None:
    """Return the trials as a chart and a table."""
    tuning = facts.tuning
    if tuning is None or not tuning.trials:
        return None
    aim = "lowest" if tuning.minimize else "highest"
    caption = f"{tuning.step} tried {len(tuning.trials)} settings; the {aim} {tuning.objective} wins."
    names = list(dict.fromkeys(name for trial in tuning.trials for name in trial.hyperparameters))
    rows = [
        (
            f"{trial.number}{' ★' if trial.is_best else ''}",
            "" if trial.value is None else number(trial.value),
            *(setting(trial.hyperparameters.get(name, "")) for name in names),
            trial.status,
            duration(trial.seconds),
        )
        for trial in tuning.trials
    ]
    heads = ("trial", tuning.objective, *names, "status", "time")
    data = table(heads, rows, numbers=(*range(1, len(names) + 2), len(names) + 3))
    drawn = None
    if tuning.measured:
        says = "The diamond is the best trial, the dotted line the best so far."
        drawn = figure("By trial", says, charts.trials("trials", f"{tuning.objective} by trial. {says}", tuning))
    return join(tag("p", caption, class_="soft"), tag("div", drawn, data, class_="pair narrow-wide"))


def importance(facts: Facts) -> Markup | None:
    """Return the features by their importance."""
    if not facts.importance:
        return None
    title = "Feature importance: " + ", ".join(f"{name} {percent(share)}" for name, share in facts.importance[:15])
    whose = f" This is the model that {facts.report.step} measured." if facts.report else ""
    caption = f"How much of the model's gain in training comes from splits on each feature.{whose}"
    data = table(("feature", "part"), [(name, percent(share)) for name, share in facts.importance], numbers=(1,))
    return join(
        tag("p", caption, class_="soft"),
        charts.importance("importance", title, facts.importance),
        fold("The numbers", data),
    )


def steps(facts: Facts) -> Markup | None:
    """Return what became of every step."""
    if not facts.steps:
        return None
    explained = any(step.cache_reason for step in facts.steps)
    rows = [
        (
            step.name,
            tag("span", f"{ICONS.get(step.state, '·')} {step.state}", class_="tag"),
            "" if step.state == "cached" else duration(step.seconds),
            step.says,
            *([step.cache_reason or ""] if explained else []),
        )
        for step in facts.steps
    ]
    heads = ("step", "state", "time", "result", *(["why not from the cache"] if explained else []))
    return table(heads, rows, numbers=(2,))


def run(facts: Facts) -> Markup:
    """Return what identifies the run, and its parameters."""
    known = table(("", ""), run_facts(facts))
    parameters = table(("parameter", "value"), [(name, value) for name, value in facts.parameters.items()])
    return join(known, fold("Parameters", parameters) if facts.parameters else None)
