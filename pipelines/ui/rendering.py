"""How a page is made: the SageMaker that a request is about, a template, and what there is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from pipelines.delivery.approval.listing import number as four_digits
from pipelines.delivery.report.numbers import count, number, setting, signed
from pipelines.delivery.run import CONTENT_HASH
from pipelines.delivery.wording import duration, shortened
from pipelines.ui.times import ago, clock, day, span, took

if TYPE_CHECKING:
    from pipelines.delivery.run import Site

FOLDER = Path(__file__).parent
# How often a page looks for news, in milliseconds: while something runs, and while nothing does.
LIVE, IDLE = 700, 4000


def site(request: Request) -> Site:
    """Return the SageMaker that the page shows."""
    found: Site = request.app.state.site
    return found


def render(
    request: Request, template: str, facts: Mapping[str, object], *, live: bool = False, status: int = 200
) -> HTMLResponse:
    """Return a page; one that is live looks for news often."""
    shared = {"live": live, "pause": LIVE if live else IDLE, "here": request.url.path}
    token = request.app.state.tokens.make
    page = ENVIRONMENT.get_template(template).render(**shared, token=token, **facts)
    # JSON of others can name letters that no text has.
    return HTMLResponse(page.encode(errors="replace"), status)


def missing(what: str) -> HTTPException:
    """Return the error that there is none of what an address names."""
    return HTTPException(404, what)


def address(*parts: object) -> str:
    """Return the address of a page from the parts of its path."""
    return "/" + "/".join(quote(str(part), safe="") for part in parts)


def short(text: str, longest: int = 32) -> str:
    """Return text of at most so many letters; of an S3 URI the end says more than its beginning.

    Data are called by the beginning of their hash, as elsewhere.
    """
    if text.startswith("s3://") and (found := CONTENT_HASH.search(text)):
        return f"…/{found[1][:8]}…"
    if text.startswith("s3://") and len(text) > longest:
        return f"…{text[1 - longest :]}"
    return shortened(text, longest)


def size(count_: int) -> str:
    """Return a number of bytes in its greatest unit."""
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count_ >= bytes_:
            return f"{count_ / bytes_:.1f} {unit}"
    return f"{count_} bytes"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"address": address}
    made.filters |= {
        "ago": ago,
        "clock": clock,
        "count": count,
        "day": day,
        "duration": duration,
        "four_digits": four_digits,
        "number": number,
        "setting": setting,
        "short": short,
        "signed": signed,
        "size": size,
        "span": span,
        "took": took,
    }
    return made


ENVIRONMENT = _environment()
