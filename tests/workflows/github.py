"""GitHub's side of a workflow run: the event, the repository, its variables, artifacts, and what the run shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.iam.evaluator import Policy
from tests.workflows.expressions import Lenient

REPOSITORY = "acme/fraud"
ISSUER = "token.actions.githubusercontent.com"
# Who hands out the jobs' tokens, to IAM.
PROVIDER = ("Federated", f"arn:aws:iam::000000000000:oidc-provider/{ISSUER}")
BOT = "github-actions[bot]"


@dataclass(frozen=True)
class Event:
    """What started a run."""

    name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    ref: str = "refs/heads/main"


@dataclass(frozen=True)
class Environment:
    """An environment: who reviews its jobs, what they say, and its variables, which count before the repository's."""

    reviewers: tuple[str, ...] = ()
    is_approved: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass
class GitHub:
    """A repository on GitHub; `source` is the tree of the commit, `api_url` where the API answers.

    `aws` leads to the AWS account, `trust` has the trust policies of its roles, by ARN, and `state` is what the local
    SageMaker of a runner begins with.
    """

    source: Path
    work: Path
    sha: str = "5" * 40
    run_id: int = 9000000001
    variables: Mapping[str, str] = field(default_factory=dict)
    api_url: str = "http://127.0.0.1:9"
    aws: Mapping[str, str] = field(default_factory=dict)
    trust: Mapping[str, Policy] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    actor: str = "octocat"
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
            "GITHUB_ACTOR": self.actor,
            "GITHUB_TRIGGERING_ACTOR": self.actor,
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

    def environment_of(self, name: str | None) -> Environment:
        """Return an environment; one that is not there is made, without any rule. No name is none."""
        return self.environments.setdefault(name, Environment()) if name else Environment()

    def vars(self, environment: str | None = None) -> Lenient:
        """Return the variables that a job sees; one that is not set is null."""
        return Lenient({**self.variables, **self.environment_of(environment).variables})

    def claims(self, ref: str, environment: str | None) -> dict[str, str]:
        """Return what the token says that a job shows to AWS, by IAM's names for it."""
        subject = f"environment:{environment}" if environment else f"ref:{ref}"
        said = {"aud": "sts.amazonaws.com", "sub": f"repo:{REPOSITORY}:{subject}", "ref": ref}
        return {f"{ISSUER}:{name}": value for name, value in said.items()}


def pull_request(number: int = 7, *, fork: bool = False) -> Event:
    """A pull request's event, of a branch of this repository or of a fork."""
    head = {"repo": {"full_name": "stranger/fraud" if fork else REPOSITORY}}
    payload = {"pull_request": {"number": number, "head": head}}
    return Event("pull_request", payload, ref=f"refs/pull/{number}/merge")
