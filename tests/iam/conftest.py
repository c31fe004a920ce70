"""The loop as each provider runs it, recorded once for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.iam.adoption import Adoption
from tests.iam.loop import Loop, make_commit, record_codebuild, record_github
from tests.project_template.conftest import CODEBUILD, GITHUB, NAME, NUMBERS, TOKEN
from tests.workflows.account import Account

KEY = {"EncryptionKey": "create"}


@pytest.fixture(scope="session")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account that the project is in, whoever builds it."""
    account = Account(tmp_path_factory.mktemp("account") / "root")
    yield account
    account.close()


@pytest.fixture(scope="session")
def commit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_commit(tmp_path_factory.mktemp("project") / "commit", NAME)


@pytest.fixture(scope="session")
def github_loop(adopted: Account, commit: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    parameters = {**GITHUB, **NUMBERS, **TOKEN, **KEY}
    adoption = Adoption(parameters, commit, tmp_path_factory.mktemp("github"), adopted)
    adopted.make_bucket(adoption.roles.outputs["ArtifactBucket"])
    yield record_github(adoption)
    adoption.close()


@pytest.fixture(scope="session")
def codebuild_loop(github_loop: Loop, commit: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """The same project, built by the other provider from then on."""
    parameters = {**CODEBUILD, **KEY, "RetrainSchedule": "rate(7 days)"}
    adoption = Adoption(parameters, commit, tmp_path_factory.mktemp("codebuild"), github_loop.adoption.account)
    yield record_codebuild(adoption, commit)
    adoption.close()
