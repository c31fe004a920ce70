"""Pictures for the notebooks: the parts of the pipeline's report, each readable on a light page and on a dark one."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd
from IPython.display import HTML

from pipelines.delivery.report import charts, panels
from pipelines.delivery.report.charts import Line, Mark
from pipelines.delivery.report.facts import Facts
from pipelines.delivery.report.markup import Markup, tag
from pipelines.delivery.report.parts import figure, legend
from pipelines.delivery.report.quality import Curve, read_quality
from pipelines.delivery.report.style import STYLE

# The report's style is for a whole page; here it is for what is inside of one element. JupyterLab's own choice of a
# light or a dark theme counts more than the system's; its style of tables, for which the class stands twice, does not.
_LIGHT, _DARK = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
_STYLE = f"""
.workshop.workshop {{ {STYLE.replace(":root", "&")}
  table {{ table-layout: auto; }} tbody tr {{ background: none; }}
  .pair.narrow-wide {{ grid-template-columns: minmax(0, 1fr); }}
  background: var(--card); color: var(--ink); border: 1px solid var(--line); border-radius: 10px; padding: 16px 20px;
  max-width: 1040px; box-sizing: border-box; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }}
[data-jp-theme-light="true"] .workshop.workshop {{ {_LIGHT}; color-scheme: light; }}
[data-jp-theme-light="false"] .workshop.workshop {{ {_DARK}; color-scheme: dark; }}
"""


def show(*parts: Markup | None) -> HTML:
    """Return parts of the report as one output of a cell."""
    drawn = tag("div", tag("style", Markup(_STYLE)), *parts, class_="workshop")
    return HTML(str(drawn))  # type: ignore[no-untyped-call]


def pipeline(facts: Facts) -> HTML:
    """Show the way that an execution took through its graph, and when each step ran."""
    return show(panels.pipeline(facts))


def steps(facts: Facts) -> pd.DataFrame:
    """Return what became of every step, and why it was not taken from the cache."""
    times = [None if step.state == "cached" or step.seconds is None else round(step.seconds, 2) for step in facts.steps]
    rows = [
        (step.name, step.type, step.state, seconds, step.says, step.cache_reason)
        for step, seconds in zip(facts.steps, times, strict=True)
    ]
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
