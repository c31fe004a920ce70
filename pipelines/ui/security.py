"""Who may ask for a page and change something by it: this user, by a page of this server, and nobody else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.local.callers.origin import check_origin
from pipelines.local.callers.peer import Peers
from pipelines.local.errors import ServiceError

# Charts say their width in style attributes; no sheet and no script comes from a page itself.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A browser that is told never to name the page names no origin of a form either.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
METHODS = ("GET", "HEAD", "POST")
OWN = frozenset({"same-origin", "none"})


class Tokens:
    """Makes and checks the token of a form, which holds for one address to send it to, as long as the server runs."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def make(self, action: str) -> str:
        """Return the token of the forms that are sent to an address."""
        return hmac.new(self._secret, action.encode(), hashlib.sha256).hexdigest()

    def holds(self, token: str, action: str) -> bool:
        """Tell whether a token is the one of an address."""
        return hmac.compare_digest(token.encode(), self.make(action).encode())


class Guard:
    """Refuses requests of other users, other hosts' pages and other methods, and says what browsers must refuse."""

    def __init__(
        self, app: ASGIApp, *, port: int, methods: Sequence[str] = METHODS, headers: Mapping[str, str] = HEADERS
    ) -> None:
        self._app = app
        self._port = port
        self._methods = methods
        self._headers = headers
        self._peers: Peers | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the app answer it."""
        if scope["type"] != "http":
            return
        answer = self._refusal(scope) or self._app

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await answer(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        if problem := self._problem(scope):
            return PlainTextResponse(f"{problem}\n", 403)
        if scope["method"] in self._methods:
            return None
        allowed = ", ".join(self._methods)
        text = f"this server answers {allowed}, not {scope['method'][:20]!r}\n"
        return PlainTextResponse(text, 405, {"Allow": allowed})

    def _problem(self, scope: Scope) -> str | None:
        """Say who may not ask."""
        headers = Headers(scope=scope)
        try:
            check_origin(_without_own_origin(headers), self._port)
            self._check_peer(scope)
        except ServiceError as error:
            return error.message
        if headers.get("sec-fetch-site", "none") not in OWN and not _is_visit(scope["method"], headers):
            return "this server is not for pages of other servers"
        return None

    def _check_peer(self, scope: Scope) -> None:
        # After the first request the port is sure to be listened to.
        self._peers = self._peers or Peers(self._port)
        if scope.get("client"):
            self._peers.check(scope["client"][1])


def _without_own_origin(headers: Headers) -> Mapping[str, str]:
    """Return headers without the origin that this server's own pages have, whose host is checked all the same."""
    found = dict(headers)
    if found.get("origin") == f"http://{found.get('host')}":
        del found["origin"]
    return found


def _is_visit(method: str, headers: Headers) -> bool:
    """Tell whether a person followed a link from elsewhere."""
    return (
        method == "GET" and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    )
