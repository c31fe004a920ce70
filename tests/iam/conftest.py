"""The loop as each provider runs it, recorded once for all tests."""

import fcntl
import os
from pathlib import Path

import pytest

from tests.iam.adoption import Adoption
from tests.iam.loop import Loop, load, make_commit, record_codebuild, record_github
from tests.project_template.conftest import CODEBUILD, GITHUB, NAME, NUMBERS, TOKEN, VPC
from tests.workflows.account import Account

KEY = {"EncryptionKey": "create"}
FORMS = {
    "github": {**GITHUB, **NUMBERS, **TOKEN, **VPC, **KEY},
    "codebuild": {**CODEBUILD, **VPC, **KEY, "RetrainSchedule": "rate(7 days)"},
}


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the loops, which the first of all processes records while the others wait for it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "loops"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "codebuild.json").exists():
            record(tmp_path_factory.mktemp("project"), folder)
    return folder


def record(work: Path, folder: Path) -> None:
    """Record a project with GitHub first; then CodeBuild takes it over."""
    account = Account(work / "root")
    subnets, groups = (VPC[name].split(",") for name in ("SubnetIds", "SecurityGroupIds"))
    commit = make_commit(work / "commit", NAME, subnets=subnets, security_groups=groups)
    adoptions = [Adoption(FORMS[name], commit, work / name, account) for name in FORMS]
    github, codebuild = adoptions
    try:
        account.make_bucket(github.roles.outputs["ArtifactBucket"])
        record_github(github).save(folder / "github.json")
        record_codebuild(codebuild, commit).save(folder / "codebuild.json")
    finally:
        for adoption in adoptions:
            adoption.close()
        account.close()


@pytest.fixture(scope="session")
def github_loop(recorded: Path) -> Loop:
    return load(recorded / "github.json", FORMS["github"])


@pytest.fixture(scope="session")
def codebuild_loop(recorded: Path) -> Loop:
    return load(recorded / "codebuild.json", FORMS["codebuild"])
