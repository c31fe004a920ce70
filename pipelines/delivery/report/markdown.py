"""The report as Markdown for GitHub: a job's summary, and the comment on a pull request."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipelines.delivery.report.escaping import block, code, listing, plain
from pipelines.delivery.report.facts import Facts, Report, StepFact, Tuning
from pipelines.delivery.report.mermaid import ICONS, curve_chart, flowchart, trials_chart
from pipelines.delivery.report.numbers import count, number, percent, setting, signed
from pipelines.delivery.report.quality import Confusion
from pipelines.delivery.report.words import (
    AUC_MEANS,
    champion_means,
    figures,
    headline,
    measured,
    metric_name,
    reason,
)
from pipelines.delivery.wording import duration

MARKER = "<!-- pipeline-report -->"
# GitHub takes 65,536 characters a comment; who posts it may add a line.
LARGEST = 60_000
_BAR = 24
_MOST_FEATURES = 15
_LEAST_SHARE = 0.001
_MOST_TRIALS = 50
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Section:
    """A part of the report; of those that must go where there is no room, the one of the least weight goes first."""

    title: str
    text: str
    weight: int


def render(facts: Facts, largest: int = LARGEST) -> str:
    """Return the report in no more than that many bytes; what is left out for room is named."""
    sections = list(_sections(facts))
    dropped: list[str] = []
    while len((text := _join(facts, sections, dropped)).encode()) > largest and sections:
        least = min(sections, key=lambda section: section.weight)
        sections.remove(least)
        dropped.append(least.title)
    return text


def _join(facts: Facts, sections: Sequence[Section], dropped: Sequence[str]) -> str:
    left = f"_Left out for room: {', '.join(dropped)}. The HTML report has all of it._" if dropped else ""
    return (
        "\n\n".join(part for part in (MARKER, _verdict(facts), *(each.text for each in sections), left) if part) + "\n"
    )


def _verdict(facts: Facts) -> str:
    verdict = headline(facts)
    lines = [f"## {verdict.icon} {verdict.word}: {verdict.meaning}", plain(verdict.sentence)]
    if why := reason(facts):
        lines.append(f"Reason: {code(why)}")
    if numbers := figures(facts):
        rows = [(figure.name, f"**{plain(figure.value)}**", plain(figure.note)) for figure in numbers]
        lines.append(_table(("", "", ""), rows))
    if metric_name(facts.metric) == "ROC AUC":
        lines.append(f"<sub>{AUC_MEANS}</sub>")
    return "\n\n".join(lines)


def _sections(facts: Facts) -> Iterator[Section]:
    makers: tuple[tuple[str, int, Callable[[Facts], str | None]], ...] = (
        ("How to approve", 100, _approval),
        ("Pipeline", 60, _pipeline),
        ("Comparison with the champion", 90, _champion),
        ("Quality", 70, _quality),
        ("Curves", 30, _curves),
        ("Trials", 40, _trials),
        ("Feature importance", 35, _importance),
        ("Steps", 50, _steps),
        ("Run", 80, _run),
    )
    for title, weight, make in makers:
        if text := make(facts):
            yield Section(title, text, weight)


def _approval(facts: Facts) -> str | None:
    if facts.package is None or facts.package.approval != "PendingManualApproval":
        return None
    return f"**To approve the model** ({code(facts.package.name)}):\n\n{block(facts.package.approve)}"


def _pipeline(facts: Facts) -> str | None:
    return f"### The pipeline\n\n{flowchart(facts.graph)}" if facts.graph.nodes else None


def _champion(facts: Facts) -> str | None:
    champion, difference = facts.champion, facts.difference
    if champion is None or difference is None:
        return None
    rows = [(f"this model's {metric_name(facts.metric)}", number(facts.value)), ("difference", signed(difference))]
    rows.insert(1, (f"the champion's, {champion.name}", number(champion.value)))
    table_ = _table(("", ""), [(code(a), code(b)) for a, b in rows])
    return f"### Against the champion\n\n{table_}\n\n{champion_means(champion)}"


def _quality(facts: Facts) -> str | None:
    report = facts.report
    if report is None:
        return None
    parts = [f"### How good the model is\n\n{plain(measured(facts))}"]
    if report.quality.confusion:
        parts.append(_confusion(report.quality.confusion))
    rows = [
        (plain(metric_name(metric.name)), number(metric.value), _deviation(metric.deviation))
        for metric in report.quality.metrics
    ]
    if rows:
        parts.append(_fold("All metrics", _table(("metric", "value", "± standard deviation"), rows)))
    return "\n\n".join(parts)


def _deviation(value: float | None) -> str:
    return "" if value is None else number(value)


def _confusion(matrix: Confusion) -> str:
    rows = [
        (
            f"**actual** {code(label)}",
            *(
                f"{count(matrix.counts[row][column])} ({percent(matrix.share(row, column))})"
                for column in range(len(matrix.labels))
            ),
        )
        for row, label in enumerate(matrix.labels)
    ]
    heads = ("", *(f"predicted {code(label)}" for label in matrix.labels))
    return f"{_table(heads, rows)}\n\nPercentages are of the row: of all that is actually so."


def _curves(facts: Facts) -> str | None:
    report = facts.report
    charts = list(_drawn_curves(report)) if report else []
    return _fold("ROC and precision-recall curves", "\n\n".join(charts)) if charts else None


def _drawn_curves(report: Report) -> Iterator[str]:
    quality = report.quality
    if quality.roc:
        yield curve_chart("ROC curve", ("false positive rate", "true positive rate"), quality.roc, (0, 1))
        yield "The second line, the diagonal, is what guessing gives."
    if quality.precision_recall:
        base = quality.base_rate
        lines = (base, base) if base is not None else (0, 0)
        yield curve_chart("Precision-recall curve", ("recall", "precision"), quality.precision_recall, lines)
        if base is not None:
            yield f"The second line is what guessing gives: the share of positives, {percent(base)}."


def _trials(facts: Facts) -> str | None:
    tuning = facts.tuning
    if tuning is None or not tuning.trials:
        return None
    parts = [part for part in (trials_chart(tuning), _trials_table(tuning)) if part]
    aim = "lowest" if tuning.minimize else "highest"
    title = f"{len(tuning.trials)} trials of {tuning.step}, the {aim} {tuning.objective} wins"
    return _fold(title, "\n\n".join(parts))


def _trials_table(tuning: Tuning) -> str:
    names = list(dict.fromkeys(name for trial in tuning.trials for name in trial.hyperparameters))
    ranked = sorted(tuning.measured, key=lambda trial: trial.value or 0.0, reverse=not tuning.minimize)
    shown = [*ranked, *(trial for trial in tuning.trials if trial.value is None)][:_MOST_TRIALS]
    rows = [
        (
            f"{trial.number}{' ★ best' if trial.is_best else ''}",
            "" if trial.value is None else number(trial.value),
            code(trial.status),
            *(code(setting(trial.hyperparameters.get(name, ""))) for name in names),
        )
        for trial in shown
    ]
    table = _table(("trial", code(tuning.objective), "status", *map(code, names)), rows)
    more = len(tuning.trials) - len(shown)
    return f"{table}\n\n{more} more trials are in the HTML report." if more else table


def _importance(facts: Facts) -> str | None:
    if not facts.importance:
        return None
    greatest = facts.importance[0][1]
    shown = [(name, share) for name, share in facts.importance[:_MOST_FEATURES] if share >= _LEAST_SHARE]
    rows = [(code(name), f"`{_bar(share / greatest)}` {percent(share)}") for name, share in shown]
    others = facts.importance[len(shown) :]
    rest = f"\n\n{len(others)} more features have {percent(sum(share for _, share in others))}." if others else ""
    return _fold("What the model decides by", _table(("feature", "part of the gain"), rows) + rest)


def _bar(share: float) -> str:
    eighths = max(1, round(share * _BAR * 8))
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).strip().ljust(_BAR, "\u2007")


def _steps(facts: Facts) -> str | None:
    if not facts.steps:
        return None
    rows: list[tuple[str, ...]] = [
        (
            code(step.name),
            f"{ICONS.get(step.state, '·')} {step.state}",
            "" if step.state == "cached" or step.seconds is None else duration(step.seconds),
            code(step.says),
            code(step.cache_reason or ""),
        )
        for step in facts.steps
    ]
    heads: tuple[str, ...] = ("step", "state", "time", "result", "why not from the cache")
    if not any(row[-1] for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    logs = [_log(step) for step in facts.steps if step.show_log and step.state != "rejected"]
    return "\n\n".join([_fold(f"{len(rows)} steps, {facts.cached} from the cache", _table(heads, rows)), *logs])


def _log(step: StepFact) -> str:
    end = f"The end of the log of {code(step.name)}:\n\n{listing(step.log)}\n\n" if step.log else ""
    return f"{end}To read the log of {code(step.name)}:\n\n{block(step.show_log or '')}"


def _run(facts: Facts) -> str:
    rows = [(name, code(value)) for name, value in run_facts(facts)]
    parameters = [(f"parameter {code(name)}", code(value)) for name, value in facts.parameters.items()]
    return _fold("The run", _table(("", ""), [*rows, *parameters]))


def run_facts(facts: Facts) -> list[tuple[str, str]]:
    """Return what identifies the run, by name."""
    found = [
        ("pipeline", facts.pipeline),
        ("execution", facts.execution_arn),
        ("started", facts.started.strftime("%Y-%m-%d %H:%M:%S %Z") if facts.started else None),
        ("where", "on one machine, without AWS" if facts.is_local else "AWS"),
        ("model package", facts.package.arn if facts.package else facts.verdict.model_package_arn),
        ("approval", facts.package.approval if facts.package else None),
        ("commit", facts.commit),
        ("input data, SHA-256", facts.data_hash),
    ]
    return [(name, value) for name, value in found if value]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _fold(title: str, text: str) -> str:
    return f"<details>\n<summary>{plain(title)}</summary>\n\n{text}\n\n</details>"
