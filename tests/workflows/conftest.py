"""GitHub with a fresh repository for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflows.github import GitHub
from tests.workflows.github_api import GitHubApi

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def api() -> Iterator[GitHubApi]:
    served = GitHubApi()
    yield served
    served.close()


@pytest.fixture
def github(tmp_path: Path, api: GitHubApi) -> GitHub:
    return GitHub(REPOSITORY, tmp_path, api_url=api.url)
