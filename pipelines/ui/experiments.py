"""MLflow's own page of the experiments of a local root, behind the same door as the page of this package."""

import json
from collections.abc import Callable
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.delivery.errors import UsageError
from pipelines.delivery.tracking.opening import open_page, open_store
from pipelines.delivery.tracking.places import DATABASE, local_tracking
from pipelines.ui.security import Guard

ASSISTANT = "/ajax-api/3.0/mlflow/assistant"
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
# What the page asks a first visitor, or shows until it is closed, as it keeps the answers in the browser.
ANSWERS = {
    "mlflow.workflowType_v1": "machine_learning",
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": True,
    "mlflow.settings.telemetry.enabled_v1": False,
    "mlflow.telemetry.info.alert.dismissed_v1": True,
}
_SCRIPT = f"""<script>
for (const [name, value] of Object.entries({json.dumps(ANSWERS)}))
  if (localStorage.getItem(name) === null) localStorage.setItem(name, JSON.stringify(value));
if (!location.hash) location.replace("#/experiments");
</script>"""
_HEAD = b"<head>"


def experiments_app(root: Path) -> Callable[[int], ASGIApp]:
    """Return what makes the app for a port.

    Raises:
        UsageError: nothing has been recorded yet.
        TrackingError: what was recorded cannot be read.
    """
    if not (root / DATABASE).is_file():
        raise UsageError(
            f"there are no experiments in {root.absolute()}: record a run with run-pipeline --local --track first, "
            "or run 2.1 or 5.1 of the workshop and give its folder with --local-root"
        )
    tracking = local_tracking(root)
    # MLflow's page would come up all the same, and know no answer to any question.
    open_store(tracking)
    # MLflow's pages have styles and scripts that the other page's policy forbids; what they may load, MLflow decides.
    return lambda port: Guard(_for_runs(open_page(tracking, port)), port=port, methods=METHODS, headers={})


def _for_runs(app: ASGIApp) -> ASGIApp:
    """Open the page at runs, and leave out what asks language models elsewhere, and runs programs for them."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(ASSISTANT):
            await PlainTextResponse("there is no assistant here\n", 403)(scope, receive, send)
        elif (scope["method"], scope["path"]) == ("GET", "/"):
            await app(scope, receive, _Answered(send))
        else:
            await app(scope, receive, send)

    return answer


class _Answered:
    """Sends a page with a script at the beginning of its head."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = self._body.replace(_HEAD, _HEAD + _SCRIPT.encode(), 1)
        MutableHeaders(scope=self._start)["Content-Length"] = str(len(body))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})
