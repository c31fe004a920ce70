"""The report as one HTML file that needs nothing else: no network, no script, no font."""

from collections.abc import Callable, Iterator

from pipelines.delivery.report import panels
from pipelines.delivery.report.facts import Facts
from pipelines.delivery.report.markup import Markup, join, tag
from pipelines.delivery.report.parts import section
from pipelines.delivery.report.style import STYLE
from pipelines.delivery.report.words import headline
from pipelines.delivery.wording import duration

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

_SECTIONS: tuple[tuple[str, str, Callable[[Facts], Markup | None]], ...] = (
    ("pipeline", "What the pipeline did", panels.pipeline),
    ("quality", "How good the model is", panels.quality),
    ("champion", "Against the champion", panels.champion),
    ("trials", "The trials", panels.trials),
    ("importance", "What the model decides by", panels.importance),
    ("steps", "Step by step", panels.steps),
    ("run", "The run", panels.run),
)


def render(facts: Facts) -> str:
    """Return the page."""
    verdict = headline(facts)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{verdict.icon} {verdict.word}: {facts.pipeline}"),
        tag("style", Markup(STYLE)),
    )
    body = tag("body", _header(facts), tag("main", panels.verdict(facts), *_sections(facts)), _footer())
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(facts: Facts) -> Markup:
    when = facts.started.strftime("%d %B %Y, %H:%M %Z").lstrip("0") if facts.started else None
    known = [when, f"took {duration(facts.seconds)}" if facts.seconds is not None else None]
    rest = " · ".join(filter(None, known))
    return tag("header", "Pipeline report · ", tag("b", facts.pipeline), f" · {rest}" if rest else None)


def _sections(facts: Facts) -> Iterator[Markup]:
    for key, title, make in _SECTIONS:
        if (content := make(facts)) is not None:
            yield section(key, title, content)


def _footer() -> Markup:
    return tag("footer", tag("p", "What is not known of this run is left out of this page."), join())
