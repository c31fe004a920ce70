"""Who calls: the identity that AWS sees, and the person and the run behind it where CI calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.delivery.wording import one_line

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True)
class Caller:
    """The ARN that signs the requests; in CI also who started the run, as CI calls them, and the run's URL."""

    arn: str
    person: str | None = None
    run: str | None = None

    @property
    def said(self) -> str:
        """The caller in a few words; the ARN, which nobody can make up, is always among them."""
        behind = ", ".join(part for part in (self.run, f"as {self.arn}") if part)
        return f"{self.person} ({behind})" if self.person else self.arn


def find_caller(session: boto3.Session, environment: Mapping[str, str]) -> Caller:
    """Return who calls, by STS and by the variables of GitHub Actions and CodeBuild."""
    arn = session.client("sts").get_caller_identity()["Arn"]
    if environment.get("GITHUB_ACTIONS") == "true":
        # Of a run that is started again, the actor is still the one of its first start.
        actor = environment.get("GITHUB_TRIGGERING_ACTOR") or environment.get("GITHUB_ACTOR")
        return Caller(arn, _clean(actor), _clean(_github_run(environment)))
    return Caller(arn, _clean(environment.get("CODEBUILD_INITIATOR")), _clean(environment.get("CODEBUILD_BUILD_URL")))


def _github_run(environment: Mapping[str, str]) -> str | None:
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environment.get(name) for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def _clean(text: str | None) -> str | None:
    return one_line(text or "") or None
