"""How long a command stays with what it waits for: until its end, an interrupt, or the time that it was given."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from threading import Event
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.delivery.aws_errors import explain, is_expired, is_passing
from pipelines.delivery.credentials import renew
from pipelines.delivery.errors import ContactError, FollowingTimeoutError, InterruptionError

if TYPE_CHECKING:
    import boto3

Answer = TypeVar("Answer")

FAILURES_IN_A_ROW = 20


class Attention:
    """Pauses between two looks at something that goes on, and ends them by raising; it goes on itself.

    Where it is no execution, advise says how to come back to it.
    """

    def __init__(
        self,
        interrupt: Event | None = None,
        *,
        minutes: float | None = None,
        advise: Callable[[str], str] | None = None,
    ) -> None:
        self.advise = advise or advice
        self._interrupt = interrupt or Event()
        self._minutes = minutes
        self._until = None if minutes is None else time.monotonic() + minutes * 60

    def pause(self, seconds: float, arn: str) -> None:
        """Wait.

        Raises:
            InterruptionError: the person gave up.
            FollowingTimeoutError: the time is over.
        """
        left = seconds if self._until is None else self._until - time.monotonic()
        if self._interrupt.wait(max(0, min(seconds, left))):
            raise InterruptionError(f"stopped following {arn}, which goes on; {self.advise(arn)}")
        if left < seconds:
            raise FollowingTimeoutError(
                f"followed {arn} for {self._minutes:g} minutes, and it goes on; {self.advise(arn)}"
            )


class Patience:
    """Repeats what failed for a reason that passes: throttling, the network, credentials that have expired."""

    def __init__(self, session: boto3.Session, interval: float, say: Callable[[str], None]) -> None:
        self._session = session
        self._interval = interval
        self._say = say

    def call(self, work: Callable[[], Answer], attention: Attention, arn: str) -> Answer:
        """Return what the work returns.

        Raises:
            ContactError: it failed too many times in a row.
        """
        for failures in count(1):
            try:
                return work()
            except (BotoCoreError, ClientError) as error:
                if not is_passing(error):
                    raise
                what = (explain(error) or str(error)).partition(". Next: ")[0]
                if failures == FAILURES_IN_A_ROW:
                    raise ContactError(
                        f"lost contact with {arn} after {failures} failures in a row, the last: {what}; "
                        f"{attention.advise(arn)}"
                    ) from error
                self._say(f"{what}; trying again ({failures} of {FAILURES_IN_A_ROW - 1})")
                if is_expired(error):
                    renew(self._session)
            attention.pause(self._interval, arn)
        raise AssertionError("the count never ends")


def advice(arn: str) -> str:
    """Say how to go on with an execution that nobody follows."""
    return (
        f"to follow it again: run-pipeline --follow {arn}; "
        f"to stop it: aws sagemaker stop-pipeline-execution --pipeline-execution-arn {arn}"
    )
