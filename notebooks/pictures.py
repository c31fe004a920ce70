"""Pictures for the notebooks: the parts of the pipeline's report, each readable on a light page and on a dark one."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import HTML
from workshop import Place

from pipelines.delivery.report import charts, panels
from pipelines.delivery.report.charts import Line, Mark
from pipelines.delivery.report.facts import Facts, Trial, Tuning
from pipelines.delivery.report.markup import Markup, tag
from pipelines.delivery.report.parts import figure, legend
from pipelines.delivery.report.quality import Curve, read_quality
from pipelines.delivery.report.style import STYLE

# The report's style is for a whole page; here it is for what is inside of one element.
_STYLE = f"""
.workshop {{ {STYLE.replace(":root", "&")}
  background: var(--card); color: var(--ink); border: 1px solid var(--line); border-radius: 10px; padding: 16px 20px;
  max-width: 1040px; box-sizing: border-box; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }}
"""


def show(*parts: Markup | None) -> HTML:
    """Return parts of the report as one output of a cell."""
    drawn = tag("div", tag("style", Markup(_STYLE)), *parts, class_="workshop")
    return HTML(str(drawn))  # type: ignore[no-untyped-call]


def pipeline(facts: Facts) -> HTML:
    """Show the way that an execution took through its graph, and when each step ran."""
    return show(panels.pipeline(facts))


def quality(facts: Facts) -> HTML:
    """Show how good the model of an execution is."""
    return show(panels.quality(facts))


def steps(facts: Facts) -> pd.DataFrame:
    """Return what became of every step, and why it was not taken from the cache."""
    rows = [(step.name, step.type, step.state, step.seconds, step.says, step.cache_reason) for step in facts.steps]
    return pd.DataFrame(rows, columns=["step", "type", "state", "seconds", "result", "why not cached"])


def gate(metric: str, threshold: float, values: Mapping[str, float]) -> HTML:
    """Show values of a metric on its scale, with the threshold that the gate holds them against."""
    marks = [Mark(name, value, "main" if value > threshold else "second") for name, value in values.items()]
    said = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
    return show(figure(metric, "", charts.gate("gate", f"{metric}: threshold {threshold}; {said}", threshold, marks)))


def curves(reports: Mapping[str, object]) -> HTML:
    """Show the ROC and precision-recall curves of evaluation reports, by name; at most two can be told apart."""
    read = {name: found for name, document in reports.items() if (found := read_quality(document))}
    roc = [(name, found.roc) for name, found in read.items()]
    pairs = [(name, found.precision_recall) for name, found in read.items()]
    drawn = (
        _curves("ROC", ("false positive rate", "true positive rate"), roc),
        _curves("Precision and recall", ("recall", "precision"), pairs),
    )
    return show(tag("div", *drawn, class_="pair"))


def _curves(title: str, axes: tuple[str, str], found: Sequence[tuple[str, Curve]]) -> Markup:
    styles = ["main", *["second"] * len(found)]
    lines = [Line(name, curve, style) for (name, curve), style in zip(found, styles, strict=False)]
    names = ", ".join(line.name for line in lines)
    key = title.partition(" ")[0].lower()
    return figure(
        title, "", charts.curves(key, f"{title}: {axes[1]} by {axes[0]}; {names}", axes, lines), legend(lines)
    )


def trials(here: Place, tuning_job: str) -> HTML:
    """Show the objective of a tuning job's trials, in the order of their start, and the best so far."""
    client = here.site.client
    job = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job)
    objective = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    best = job.get("BestTrainingJob", {}).get("TrainingJobName")
    pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=tuning_job, SortBy="CreationTime", SortOrder="Ascending"
    )
    found = [summary for page in pages for summary in page["TrainingJobSummaries"]]
    tuning = Tuning(
        step=tuning_job,
        objective=objective["MetricName"],
        minimize=objective["Type"] == "Minimize",
        trials=tuple(_trial(number, summary, best) for number, summary in enumerate(found, 1)),
    )
    title = "Objective by trial"
    caption = "The diamond is the best trial, the dotted line the best so far."
    return show(figure(title, caption, charts.trials("trials", f"{tuning.objective} by trial. {caption}", tuning)))


def _trial(number: int, summary: Mapping[str, Any], best: str | None) -> Trial:
    value = summary.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
    name = summary["TrainingJobName"]
    tuned = summary.get("TunedHyperParameters", {})
    return Trial(number, name, summary["TrainingJobStatus"], value, tuned, is_best=name == best)
