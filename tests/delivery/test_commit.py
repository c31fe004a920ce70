"""Which commit a run belongs to: real git repositories, and what CI says."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipelines.delivery.commit import Commit, check_commit, find_commit, with_commit
from pipelines.delivery.definition import Run, parse_definition
from pipelines.delivery.errors import UsageError
from tests.delivery.pipelines import definition

SHA = "0123456789abcdef0123456789abcdef01234567"
NOWHERE: Mapping[str, str] = {}
ON_GITHUB = {"GITHUB_SHA": SHA, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/fraud"}
ON_CODEBUILD = {
    "CODEBUILD_RESOLVED_SOURCE_VERSION": SHA,
    "CODEBUILD_SOURCE_REPO_URL": "https://x-token:secret@git.example.com/acme/fraud.git",
}
LINEAGE = [{"Name": name, "Type": "String", "DefaultValue": "unknown"} for name in ("CommitId", "Repository")]


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in no repository, whatever holds the folder of temporary files."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return tmp_path


@pytest.fixture
def repository(outside: Path) -> Path:
    """A repository with one commit."""
    git(outside, "init")
    (outside / "file.py").write_text("x = 1\n")
    git(outside, "add", ".")
    git(outside, "commit", "-m", "first")
    return outside


def test_a_clean_folder_tells_its_commit_which_does_not_bind(repository: Path) -> None:
    assert find_commit(None, repository, NOWHERE) == Commit(git(repository, "rev-parse", "HEAD"), None)


def test_the_remote_is_the_repository_without_its_password(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://me:secret@git.example.com:8443/acme/fraud.git")
    found = find_commit(None, repository, NOWHERE)
    assert found.repository == "https://git.example.com:8443/acme/fraud.git"


def test_a_remote_by_ssh_stays_as_it_is(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "git@github.com:acme/fraud.git")
    assert find_commit(None, repository, NOWHERE).repository == "git@github.com:acme/fraud.git"


def test_head_binds(repository: Path) -> None:
    assert find_commit("HEAD", repository, NOWHERE) == Commit(git(repository, "rev-parse", "HEAD"), None, True)


@pytest.mark.parametrize(("environment", "url"), [(ON_GITHUB, "https://github.com/acme/fraud"), (ON_CODEBUILD, None)])
def test_what_ci_says_binds_and_git_is_not_needed(
    outside: Path, environment: Mapping[str, str], url: str | None
) -> None:
    expected = Commit(SHA, url or "https://git.example.com/acme/fraud.git", True)
    assert find_commit(None, outside, environment) == expected


def test_a_commit_that_is_given_wins_over_cis(outside: Path) -> None:
    assert find_commit("f" * 40, outside, ON_GITHUB).sha == "f" * 40


def test_a_bucket_as_codebuilds_source_has_no_commit(outside: Path) -> None:
    assert find_commit(None, outside, {"CODEBUILD_RESOLVED_SOURCE_VERSION": "L4kqtJlcpXroDTDmpUMLUo"}) == Commit()


def test_a_changed_file_makes_the_folder_no_commit(repository: Path) -> None:
    (repository / "file.py").write_text("x = 2\n")
    assert find_commit(None, repository, NOWHERE) == Commit()


def test_a_file_that_git_does_not_know_changes_nothing(repository: Path) -> None:
    (repository / "outcome.json").write_text("{}")
    assert find_commit(None, repository, NOWHERE).sha


def test_outside_a_repository_there_is_no_commit(outside: Path) -> None:
    assert find_commit(None, outside, NOWHERE) == Commit()


def test_head_outside_a_repository_is_refused(outside: Path) -> None:
    with pytest.raises(UsageError, match=r"--commit HEAD: git in .*: fatal: not a git repository.*; give the SHA"):
        find_commit("HEAD", outside, NOWHERE)


def test_head_of_a_changed_folder_is_refused(repository: Path) -> None:
    (repository / "file.py").write_text("x = 2\n")
    with pytest.raises(UsageError, match=r"has 1 changed files, so it is not what .* holds: commit them"):
        find_commit("HEAD", repository, NOWHERE)


def test_head_of_a_repository_without_a_commit_is_refused(outside: Path) -> None:
    git(outside, "init")
    with pytest.raises(UsageError, match="has no commit yet: commit first"):
        find_commit("HEAD", outside, NOWHERE)


def test_without_git_head_is_refused_and_nothing_else_is(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(UsageError, match=r"git cannot be asked in .*: .*; give the SHA"):
        find_commit("HEAD", repository, NOWHERE)
    assert find_commit(None, repository, NOWHERE) == Commit()
    assert find_commit(SHA, repository, NOWHERE) == Commit(SHA, None, True)


@pytest.mark.parametrize("given", ["main", SHA[:12], SHA.upper(), SHA + "0", "", f"{SHA}\n", "$(rm -rf .)"])
def test_what_is_no_sha_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match=r"is no commit's SHA: give all 40 \(or 64\) lower-case hex digits, or HEAD"):
        check_commit(given)


@pytest.mark.parametrize("given", ["HEAD", SHA, "a" * 64])
def test_a_sha_of_either_length_is_taken(given: str) -> None:
    check_commit(given)


def test_a_definition_that_asks_for_its_commit_is_told(outside: Path) -> None:
    run = Run(parse_definition(definition([], LINEAGE)), {})
    told = with_commit(run, find_commit(None, outside, ON_GITHUB))
    assert told.parameters == {"CommitId": SHA, "Repository": "https://github.com/acme/fraud"}


def test_a_definition_that_does_not_ask_is_not_told_and_what_was_given_stays() -> None:
    plain = Run(parse_definition(definition([])), {})
    assert with_commit(plain, Commit(SHA, "url")) == plain
    given = Run(parse_definition(definition([], LINEAGE)), {"CommitId": "mine"})
    assert with_commit(given, Commit(SHA)).parameters == {"CommitId": "mine"}
