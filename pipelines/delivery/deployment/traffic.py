"""Requests while an endpoint is updated: its new fleet is tried even when nobody else calls."""

from __future__ import annotations

from itertools import cycle
from threading import Event, Thread
from types import TracebackType
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.delivery.aws_errors import explain
from pipelines.delivery.deployment.journal import Journal
from pipelines.delivery.deployment.requests import CSV, csv_body
from pipelines.delivery.deployment.rows import Rows
from pipelines.delivery.deployment.tools import Tools


class Traffic:
    """Sends one row after the other in a thread of its own, and counts the failures, which fail nothing by themselves.

    What is made of errors is the alarms' business.
    """

    def __init__(self, tools: Tools, endpoint: str, rows: Rows | None) -> None:
        self.sent = self.failed = 0
        self._first = ""
        self._tools = tools
        self._endpoint = endpoint
        self._rows = rows
        self._is_over = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin, unless it has begun or there is nothing to send."""
        if self._rows is not None and self._thread is None:
            # Made before the thread, for sessions do not make clients in two threads at once.
            invoke = self._tools.runtime.invoke_endpoint
            self._thread = Thread(target=self._send, args=(invoke, self._rows), name="traffic", daemon=True)
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        if self._thread:
            self._thread.join()

    def told(self, journal: Journal) -> str:
        """Return the counts for a line that is drawn again; in lines that stay they would make each a new one."""
        return f", {self._counts()}" if self._thread and journal.is_interactive else ""

    def summary(self) -> str | None:
        """Return what there is to say at the end."""
        if not self._thread:
            return None
        return f"while it went over: {self._counts()}{f', the first: {self._first}' if self._first else ''}"

    def _counts(self) -> str:
        return f"{self.sent} rows sent, {self.failed} failed"

    def _send(self, invoke: object, rows: Rows) -> None:
        assert callable(invoke)
        for values in cycle(rows.values):
            try:
                body = csv_body(rows.columns, [values])
                invoke(EndpointName=self._endpoint, ContentType=CSV, Accept=CSV, Body=body)["Body"].read()
            except (BotoCoreError, ClientError) as error:
                self.failed += 1
                self._first = self._first or (explain(error) or "").partition(". Next: ")[0]
            self.sent += 1
            if self._is_over.wait(self._tools.pace):
                return
