"""MLflow's own page of the experiments of a local root, behind the same door as the page of this package."""

from collections.abc import Callable
from pathlib import Path

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines.delivery.errors import UsageError
from pipelines.delivery.tracking.opening import open_page
from pipelines.delivery.tracking.places import DATABASE, local_tracking
from pipelines.ui.security import Guard

ASSISTANT = "/ajax-api/3.0/mlflow/assistant"
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def experiments_app(root: Path) -> Callable[[int], ASGIApp]:
    """Return what makes the app for a port.

    Raises:
        UsageError: nothing has been recorded yet.
    """
    if not (root / DATABASE).is_file():
        raise UsageError(f"there are no experiments in {root}: record a run with run-pipeline --local --track first")
    tracking = local_tracking(root)
    # MLflow's pages have styles and scripts that the other page's policy forbids; what they may load, MLflow decides.
    return lambda port: Guard(_without_assistant(open_page(tracking, port)), port=port, methods=METHODS, headers={})


def _without_assistant(app: ASGIApp) -> ASGIApp:
    """Leave out what of the page asks language models elsewhere, and runs programs for them."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_assistant = scope["path"].startswith(ASSISTANT)
        await (PlainTextResponse("there is no assistant here\n", 403) if is_assistant else app)(scope, receive, send)

    return answer
