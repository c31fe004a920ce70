"""The app: its pages by address, and what it says when something goes wrong."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from anyio import CapacityLimiter
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.delivery.aws_errors import explain
from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.report.style import STYLE
from pipelines.delivery.wording import one_line
from pipelines.ui.errors import told
from pipelines.ui.forms import MOST_AT_ONCE
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

logger = logging.getLogger(__name__)

# Of what the service says; anything else is its failure.
STATUSES = {
    "NoSuchKey": 404,
    "ResourceNotFound": 404,
    "ResourceNotFoundException": 404,
    "StateLost": 503,
    "ValidationException": 400,
}
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
        middleware=[Middleware(Guard, port=port), Middleware(_Unexpected)],
        exception_handlers={
            HTTPException: _tell_status,
            ClientError: _tell,
            BotoCoreError: _tell,
            DeliveryError: _tell,
        },
    )
    app.state.site = site
    app.state.runs = Runs(site)
    app.state.tokens = Tokens(token)
    app.state.room = CapacityLimiter(MOST_AT_ONCE)
    return app


class _Unexpected:
    """Makes a page of an error that nobody expected; the framework would write a traceback each time that it comes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception as error:
            if begun:
                raise
            logger.debug("%s", scope["path"], exc_info=error)
            await _tell(Request(scope), error)(scope, receive, send)


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
        return _page(request, told(error), STATUSES.get(code, 502))
    if isinstance(error, DeliveryError | ParamValidationError):
        return _page(request, str(error), 400)
    return _page(request, explain(error) or f"unexpected {type(error).__name__}: {error}", 500)


def _page(request: Request, text: str, status: int) -> Response:
    title = "Not found" if status == 404 else "That did not work"
    return render(request, "error.html", {"title": title, "text": one_line(text)}, status=status)
