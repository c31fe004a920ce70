"""The app: its pages by address, and what it says when something goes wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from pipelines.delivery.aws_errors import explain
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.report.style import STYLE
from pipelines.delivery.wording import one_line
from pipelines.ui.pages import (
    comparison,
    endpoint,
    endpoints,
    execution,
    home,
    registry,
    step,
    training_job,
    tuning,
    version,
)
from pipelines.ui.rendering import FOLDER, render
from pipelines.ui.runs import Runs
from pipelines.ui.security import Guard, Tokens

if TYPE_CHECKING:
    from pipelines.delivery.run import Site

# Of what the service says; anything else is its failure.
STATUSES = {"NoSuchKey": 404, "ResourceNotFound": 404, "ResourceNotFoundException": 404, "ValidationException": 400}
PAGES: tuple[BaseRoute, ...] = (
    *home.ROUTES,
    *execution.ROUTES,
    *step.ROUTES,
    *training_job.ROUTES,
    *tuning.ROUTES,
    *registry.ROUTES,
    *comparison.ROUTES,
    *version.ROUTES,
    *endpoints.ROUTES,
    *endpoint.ROUTES,
)


def make_app(site: Site, *, port: int, token: bytes) -> Starlette:
    """Return the app that shows a SageMaker on a port; the tokens of its forms are made with a secret one."""
    app = Starlette(
        routes=[
            *PAGES,
            Route("/static/report.css", _report_style),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ],
        middleware=[Middleware(Guard, port=port)],
        exception_handlers={
            HTTPException: _tell_status,
            ClientError: _tell,
            BotoCoreError: _tell,
            DeliveryError: _tell,
            Exception: _tell,
        },
    )
    app.state.site = site
    app.state.runs = Runs(site)
    app.state.tokens = Tokens(token)
    return app


def _report_style(_: Request) -> Response:
    return PlainTextResponse(STYLE, media_type="text/css")


def _tell_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # Of an address that no page has, the framework says no more than its status.
    is_unknown = error.detail == HTTPStatus.NOT_FOUND.phrase
    return _page(request, f"there is no page {request.url.path}" if is_unknown else error.detail, error.status_code)


def _tell(request: Request, error: Exception) -> Response:
    if isinstance(error, ClientError):
        code = error.response["Error"].get("Code", "")
        return _page(request, explain(error) or str(error), STATUSES.get(code, 502))
    if isinstance(error, DeliveryError | ParamValidationError):
        return _page(request, str(error), 400)
    return _page(request, explain(error) or f"unexpected {type(error).__name__}: {error}", 500)


def _page(request: Request, text: str, status: int) -> Response:
    title = "Not found" if status == 404 else "That did not work"
    return render(request, "error.html", {"title": title, "text": one_line(text)}, status=status)
