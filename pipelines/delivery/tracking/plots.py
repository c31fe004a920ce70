"""The charts of a report as files of their own, which show on a light and on a dark page."""

import re
from collections.abc import Iterator

from pipelines.delivery.report import charts
from pipelines.delivery.report.charts import Line
from pipelines.delivery.report.facts import Facts, Report
from pipelines.delivery.report.flow import flow
from pipelines.delivery.report.markup import Markup, tag
from pipelines.delivery.report.style import STYLE

_SIZE = re.compile(r'viewBox="0 0 (\d+) (\d+)"')
_SCALE = 1.4


def plots(facts: Facts) -> dict[str, str]:
    """Return the pictures of a run by their files' names."""
    return {f"plots/{name}.svg": _file(drawn) for name, drawn in _drawn(facts)}


def _drawn(facts: Facts) -> Iterator[tuple[str, Markup]]:
    if facts.graph.nodes:
        yield "pipeline", flow("pipeline", "What the pipeline did", facts.graph)
    if facts.report:
        yield from _quality(facts.report)
    if facts.tuning and facts.tuning.measured:
        yield "trials", charts.trials("trials", f"{facts.tuning.objective} by trial", facts.tuning)
    if facts.importance:
        yield "feature-importance", charts.importance("importance", "Feature importance", facts.importance)


def _quality(report: Report) -> Iterator[tuple[str, Markup]]:
    quality = report.quality
    if quality.roc:
        axes, line = ("false positive rate", "true positive rate"), Line(report.step, quality.roc)
        yield "roc", charts.curves("roc", f"ROC curve of {report.step}", axes, [line])
    if quality.precision_recall:
        line = Line(report.step, quality.precision_recall)
        title = f"Precision-recall curve of {report.step}"
        yield "precision-recall", charts.curves("precision-recall", title, ("recall", "precision"), [line])
    if quality.confusion:
        yield "confusion-matrix", charts.confusion("confusion", f"Confusion matrix of {report.step}", quality.confusion)


def _file(drawn: Markup) -> str:
    match = _SIZE.search(drawn)
    assert match
    width, height = (round(int(side) * _SCALE) for side in match.groups())
    # A viewer that is told no size gives it none.
    start = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    # The background is the report's: it goes with the letters, whichever of the two looks the viewer has.
    own = f"svg {{ width: {width}px; height: {height}px; background: var(--card); }}"
    opening, _, rest = drawn.removeprefix("<svg").partition(">")
    return f"{start}{opening}>{tag('style', Markup(f'{STYLE}{own}'))}{rest}\n"
