"""What every part of a deployment works with: the service's clients, the person's patience, a clock and a journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.config import Config

from pipelines.delivery.attention import Attention, Patience
from pipelines.delivery.deployment.journal import Journal
from pipelines.delivery.execution import pauses
from pipelines.delivery.run import Site

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

Answer = TypeVar("Answer")

# The service's limit for an answer, and a little for the way.
_ANSWER_SECONDS = 70
_FIRST_PAUSE = 0.3


@dataclass(frozen=True)
class Tools:
    """One deployment's tools; pace is the seconds between two rows that are sent while an endpoint is updated."""

    site: Site
    attention: Attention
    journal: Journal
    pace: float = 1.0
    clock: Callable[[], float] = time.monotonic

    @property
    def sagemaker(self) -> SageMakerClient:
        """The SageMaker client."""
        return self.site.client

    @cached_property
    def cloudwatch(self) -> Any:
        """The CloudWatch client."""
        return self._client("cloudwatch")

    @cached_property
    def runtime(self) -> Any:
        """The client that invokes endpoints; it tries once, for a repetition would be measured as latency."""
        once = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=_ANSWER_SECONDS)
        return self._client("sagemaker-runtime", config=once)

    @cached_property
    def s3(self) -> Any:
        """The S3 client."""
        return self._client("s3")

    def patiently(self, work: Callable[[], Answer], about: str) -> Answer:
        """Return what the work returns, which is repeated while it fails for a reason that passes."""
        return Patience(self.site.session, self.site.interval, self.journal.say).call(work, self.attention, about)

    def pauses(self) -> Iterator[float]:
        """Yield the pauses between two looks."""
        return pauses(self.site.interval, _FIRST_PAUSE)

    def _client(self, service: str, **options: Any) -> Any:
        session: Any = self.site.session
        return session.client(service, **options)
