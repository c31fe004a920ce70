"""What a page changes: forms, each with the token of the address that it is sent to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

TOKEN = "token"  # noqa: S105 - the name of a field
FORM = "application/x-www-form-urlencoded"
# A claim in a form may be as long as an endpoint takes it, with most of its letters escaped.
LARGEST_BYTES = 20 * 1024 * 1024
MOST_FIELDS = 100
# Fewer than there are threads: a model may take a minute for each claim, and pages are to come meanwhile.
MOST_AT_ONCE = 16
Work = Callable[[Request, Mapping[str, str]], Response]


def action(path: str, work: Work) -> Route:
    """Return the route of a form: work gets the request and the form's fields, once its token was found to hold."""

    async def answer(request: Request) -> Response:
        fields = await _fields(request)
        if not request.app.state.tokens.holds(fields.get(TOKEN, ""), request.url.path):
            raise HTTPException(
                403, "the form's token is none of this address since this server was started: load its page again"
            )
        return await run_sync(work, request, fields, limiter=request.app.state.room)

    return Route(path, answer, methods=["POST"])


async def _fields(request: Request) -> Mapping[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise HTTPException(415, f"expected a form, of type {FORM}")
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_BYTES:
                raise HTTPException(413, f"the form is longer than {LARGEST_BYTES} bytes")
    except ClientDisconnect as error:
        raise HTTPException(400, "the form ended before its end") from error
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError as error:
        raise HTTPException(400, f"the form cannot be read: {error}") from error
