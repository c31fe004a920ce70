"""The way to MLflow: its telemetry off, its chatter too, and loaded only by who has something to record."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.delivery.tracking.places import Tracking

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from pipelines.delivery.tracking.store import Store

NO_TELEMETRY = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_QUIET = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Its own patience is for long trainings: minutes, in which a run's verdict would wait.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def quiet_mlflow() -> None:
    """Turn MLflow's telemetry off, and its chatter where nobody asked for it: in this process and those it starts.

    It has to come before MLflow is imported.
    """
    os.environ.update(NO_TELEMETRY)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


@contextmanager
def no_warnings() -> Iterator[None]:
    """Keep to itself what MLflow and its libraries have to say about each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_store(tracking: Tracking) -> Store:
    """Open a store of experiments.

    Raises:
        TrackingError: it cannot be reached or read.
    """
    quiet_mlflow()
    with no_warnings():
        # A second and a half, which a command that records nothing does not pay.
        from pipelines.delivery.tracking.store import Store  # noqa: PLC0415

    return Store(tracking)


def open_page(tracking: Tracking, port: int) -> ASGIApp:
    """Return MLflow's own page of a store, for one port of this machine; there can be one in a process."""
    quiet_mlflow()
    # What MLflow's command tells its workers; none is started here.
    os.environ.update(
        {
            "_MLFLOW_SERVER_FILE_STORE": tracking.uri,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": tracking.artifacts or "",
            "MLFLOW_SERVER_ALLOWED_HOSTS": f"127.0.0.1:{port},localhost:{port}",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
    )
    with no_warnings():
        # As above.
        from pipelines.delivery.tracking.store import page  # noqa: PLC0415

        return page()
