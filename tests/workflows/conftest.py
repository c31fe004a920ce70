"""GitHub with a fresh repository for each test, commits to run, and an AWS account that all tests share."""

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.sample_code import make_sample
from tests.workflows.account import BUCKET, REGION, Account
from tests.workflows.actions import IGNORED
from tests.workflows.deployments import Deployments
from tests.workflows.files import REPOSITORY
from tests.workflows.github import GitHub, pull_request
from tests.workflows.github_api import GitHubApi
from tests.workflows.policies import GITHUB, PIPELINE_ROLE, trust
from tests.workflows.runner import FOLDER, Run, run_workflow

VARIABLES = {
    "AWS_ROLE_ARN": GITHUB,
    "AWS_REGION": REGION,
    "ARTIFACT_BUCKET": BUCKET,
    "SAGEMAKER_PIPELINE_ROLE_ARN": PIPELINE_ROLE,
}
Commit = Callable[..., Path]


def copy_tree(source: Path, target: Path) -> Path:
    """Copy what a commit of the repository would hold, as far as workflows need it."""
    target.mkdir()
    for name in ("Makefile", "pyproject.toml", "setup.py"):
        shutil.copy(source / name, target)
    (target / FOLDER).mkdir(parents=True)
    for folder in ("pipelines", FOLDER):
        if (source / folder).exists():
            shutil.copytree(source / folder, target / folder, ignore=IGNORED, dirs_exist_ok=True)
    make_sample(target)
    return target


def with_threshold(source: Path, target: Path, *, threshold: float) -> Path:
    """Copy a commit and change the threshold in its settings."""
    settings = copy_tree(source, target) / "pipelines" / "fraud" / "settings.json"
    values = json.loads(settings.read_text())
    assert values["roc_auc_threshold"] != threshold
    settings.write_text(json.dumps(values | {"roc_auc_threshold": threshold}))
    return target


@pytest.fixture
def api() -> Iterator[GitHubApi]:
    served = GitHubApi()
    yield served
    served.close()


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a commit, which stay as they are whatever happens to the working folder."""
    return copy_tree(REPOSITORY, tmp_path_factory.mktemp("tree") / "commit")


@pytest.fixture
def github(tmp_path: Path, api: GitHubApi, tree: Path) -> GitHub:
    return GitHub(tree, tmp_path, api_url=api.url, environments=api.environments)


@pytest.fixture
def commit(tmp_path: Path, tree: Path) -> Commit:
    """A commit of this repository with another threshold in its settings."""

    return partial(with_threshold, tree, tmp_path / "commit")


@pytest.fixture(scope="session")
def first_pull_request(tmp_path_factory: pytest.TempPathFactory, tree: Path) -> Iterator[tuple[Run, GitHub, GitHubApi]]:
    """The very first pull request: nothing is cached, and no comment is there."""
    api = GitHubApi()
    github = GitHub(tree, tmp_path_factory.mktemp("first"), api_url=api.url)
    yield run_workflow("pull-request.yml", github, pull_request()), github, api
    api.close()


@pytest.fixture(scope="session")
def state(first_pull_request: tuple[Run, GitHub, GitHubApi]) -> Path:
    """What the first pull request left on its runner, so that later runs find their steps in the cache."""
    _, github, _ = first_pull_request
    return github.work / "pipeline" / "workspace" / ".sagemaker-local"


@pytest.fixture(scope="session")
def shared_account(state: Path) -> Iterator[Account]:
    opened = Account(state)
    yield opened
    opened.close()


@pytest.fixture
def account(shared_account: Account) -> Account:
    shared_account.proxy.reset()
    return shared_account


@pytest.fixture(scope="session")
def shared_deployments(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployments]:
    work = tmp_path_factory.mktemp("deployments")
    # What the model reaches untuned, to be done sooner.
    opened = Deployments(with_threshold(tree, work / "commit", threshold=0.7), work)
    yield opened
    opened.close()


@pytest.fixture
def deployments(shared_deployments: Deployments) -> Deployments:
    shared_deployments.reset()
    return shared_deployments


@pytest.fixture
def connected(github: GitHub, account: Account) -> GitHub:
    """GitHub with all variables that docs/github.md asks for, connected to the AWS account."""
    github.variables = dict(VARIABLES)
    github.aws = account.environment
    github.trust = trust()
    return github
