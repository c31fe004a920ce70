"""What every part of a deployment works with: the service's clients, the person's patience, a clock and a journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.delivery.attention import Attention, Patience
from pipelines.delivery.deployment.journal import Journal
from pipelines.delivery.execution import pauses
from pipelines.delivery.run import Site

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Answer = TypeVar("Answer")

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
        session: Any = self.site.session
        return session.client("cloudwatch")

    @property
    def runtime(self) -> Any:
        """The client that invokes endpoints."""
        return self.site.runtime

    @property
    def s3(self) -> S3Client:
        """The S3 client."""
        return self.site.s3

    def patiently(self, work: Callable[[], Answer], about: str) -> Answer:
        """Return what the work returns, which is repeated while it fails for a reason that passes."""
        return Patience(self.site.session, self.site.interval, self.journal.say).call(work, self.attention, about)

    def pauses(self) -> Iterator[float]:
        """Yield the pauses between two looks."""
        return pauses(self.site.interval, _FIRST_PAUSE)
