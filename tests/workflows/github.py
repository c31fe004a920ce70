"""GitHub's side of a workflow run: the event, the repository, its variables, artifacts, and what the run shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.workflows.expressions import Lenient

REPOSITORY = "acme/fraud"
BOT = "github-actions[bot]"


@dataclass(frozen=True)
class Event:
    """What started a run."""

    name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    ref: str = "refs/heads/main"


@dataclass
class GitHub:
    """A repository on GitHub; `source` is the tree of the commit, `api_url` where the API answers.

    `aws` leads to the AWS account, and `state` is what the local SageMaker of a runner begins with.
    """

    source: Path
    work: Path
    sha: str = "5" * 40
    run_id: int = 9000000001
    variables: Mapping[str, str] = field(default_factory=dict)
    api_url: str = "http://127.0.0.1:9"
    aws: Mapping[str, str] = field(default_factory=dict)
    state: Path | None = None

    @property
    def artifacts(self) -> Path:
        """Where artifacts of the run are kept."""
        return self.work / "artifacts"

    def context(self, event: Event, token: str, workspace: Path) -> dict[str, Any]:
        """Return the `github` context of a job."""
        return {
            "event": event.payload,
            "event_name": event.name,
            "ref": event.ref,
            "repository": REPOSITORY,
            "run_id": self.run_id,
            "sha": self.sha,
            "token": token,
            "workspace": str(workspace),
        }

    def environment(self, event: Event, workspace: Path) -> dict[str, str]:
        """Return the variables that every step has."""
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.api_url,
            "GITHUB_EVENT_NAME": event.name,
            "GITHUB_REF": event.ref,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(self.run_id),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": self.sha,
            "GITHUB_WORKSPACE": str(workspace),
        }

    @property
    def vars(self) -> Lenient:
        """The repository's variables; one that is not set is null."""
        return Lenient(self.variables)


def pull_request(number: int = 7, *, fork: bool = False) -> Event:
    """A pull request's event, of a branch of this repository or of a fork."""
    head = {"repo": {"full_name": "stranger/fraud" if fork else REPOSITORY}}
    payload = {"pull_request": {"number": number, "head": head}}
    return Event("pull_request", payload, ref=f"refs/pull/{number}/merge")
