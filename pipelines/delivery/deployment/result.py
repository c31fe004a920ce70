"""What a command did to an endpoint and how that ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.report import Report
from pipelines.delivery.packages import ModelPackage

Action = Literal["deploy", "rollback", "teardown"]
Outcome = Literal["deployed", "unchanged", "returned", "rolled_back", "removed", "failed", "torn_down"]

EXIT_CODES: Mapping[Outcome, int] = {
    "deployed": 0,
    "unchanged": 0,
    "returned": 0,
    "torn_down": 0,
    "rolled_back": 1,
    "removed": 1,
    "failed": 1,
}


@dataclass(frozen=True)
class Serving:
    """What answers requests at the end, and its model package as far as that is known."""

    config: str
    package: ModelPackage | None = None

    @property
    def name(self) -> str:
        """The config, and the version in it."""
        return f"{self.config} ({self.package.name})" if self.package else self.config


@dataclass(frozen=True)
class Result:
    """One command's work, from what was wanted to what serves; example is a row as the body of a JSON request.

    Where a package did not pass, logs is the place of what its containers said.
    """

    action: Action
    outcome: Outcome
    reason: str
    order: Order
    package: ModelPackage | None = None
    config: str | None = None
    serving: Serving | None = None
    test: Report | None = None
    fallback_test: Report | None = None
    changes: tuple[str, ...] = ()
    seconds: float = 0.0
    url: str | None = None
    example: str | None = None
    logs: str | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return EXIT_CODES[self.outcome]
