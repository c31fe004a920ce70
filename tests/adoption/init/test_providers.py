"""The files of the provider that is not used: which they are, and that none is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.adoption.init.checkout import Checkout, find_checkout
from pipelines.adoption.init.edits import make
from pipelines.adoption.init.providers import CODEBUILD, FILES, GITHUB, PROVIDERS, remove_others
from pipelines.command_line import DEFAULT_MODULE
from pipelines.delivery.errors import UsageError
from tests.adoption.init.copies import REPOSITORY, Copy, copy_to


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return copy_to(tmp_path / "copy")


def checkout(copy: Copy) -> Checkout:
    return find_checkout(copy.root, DEFAULT_MODULE)


def remove(copy: Copy, provider: str) -> set[str]:
    """Remove the other provider's files and return those that are gone."""
    before = set(copy.files())
    make(list(remove_others(checkout(copy), provider)))
    return before - set(copy.files())


@pytest.mark.parametrize(("provider", "other"), [(GITHUB, CODEBUILD), (CODEBUILD, GITHUB)])
def test_the_other_providers_files_go_and_no_others(copy: Copy, provider: str, other: str) -> None:
    assert remove(copy, provider) == set(FILES[other])
    assert remove(copy, provider) == set()


def test_folders_that_were_only_for_them_go_too(copy: Copy) -> None:
    remove(copy, CODEBUILD)
    assert not (copy.root / ".github" / "workflows").exists()
    assert (copy.root / "tests" / "workflows").is_dir()


def test_one_provider_always_stays(copy: Copy) -> None:
    remove(copy, CODEBUILD)
    before = copy.files()
    with pytest.raises(UsageError, match=r"this copy has no files of github any more: .*; give --provider codebuild"):
        list(remove_others(checkout(copy), GITHUB))
    assert copy.files() == before


def test_a_teams_own_workflow_stays(copy: Copy) -> None:
    copy.write(".github/workflows/ours.yml", "name: Ours\n")
    assert ".github/workflows/ours.yml" not in remove(copy, CODEBUILD)


def changed(copy: Copy) -> None:
    copy.write("codebuild-buildspec.yml", "version: 0.2 # ours\n")


def staged(copy: Copy) -> None:
    changed(copy)
    copy.git("add", "codebuild-buildspec.yml")


def untracked(copy: Copy) -> None:
    copy.git("rm", "--cached", "--quiet", "codebuild-buildspec.yml")
    copy.git("commit", "--quiet", "--message", "Without")


def ignored(copy: Copy) -> None:
    copy.write(".gitignore", "*buildspec.yml\n")
    untracked(copy)


@pytest.mark.parametrize("make_unsafe", [changed, staged, untracked, ignored])
def test_what_git_could_not_bring_back_is_not_removed(copy: Copy, make_unsafe: Callable[[Copy], None]) -> None:
    make_unsafe(copy)
    with pytest.raises(UsageError) as raised:
        remove(copy, GITHUB)
    assert str(raised.value) == (
        "--remove-other-provider: git does not have codebuild-buildspec.yml as on disk and could not bring them back; "
        "commit first"
    )
    assert set(FILES[CODEBUILD]) <= set(copy.files())


def test_of_many_files_a_few_are_named(copy: Copy) -> None:
    for name in FILES[GITHUB]:
        copy.write(name, "ours")
    with pytest.raises(UsageError, match=rf"approve\.yml, .*deploy\.yml and {len(FILES[GITHUB]) - 3} others as on"):
        remove(copy, CODEBUILD)


def test_without_git_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    copy = copy_to(tmp_path / "copy", in_git=False)
    with pytest.raises(UsageError, match=r"not a git repository.*; make it a git repository first and commit"):
        remove(copy, GITHUB)
    assert set(FILES[CODEBUILD]) <= set(copy.files())


def test_without_a_git_to_ask_nothing_is_removed(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(copy.root))
    with pytest.raises(UsageError, match=r"git cannot be asked in .*: No such file or directory; install it first"):
        remove(copy, GITHUB)
    assert set(FILES[CODEBUILD]) <= set(copy.files())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_file_that_this_repository_has_for_a_provider_is_listed(provider: str) -> None:
    there = {
        GITHUB: REPOSITORY.glob(".github/workflows/*.yml"),
        CODEBUILD: REPOSITORY.glob("*buildspec.yml"),
    }[provider]
    listed = {name for name in FILES[provider] if not name.startswith("tests/")}
    # A team that has removed the other provider's has none, and may have added some.
    found = {path.relative_to(REPOSITORY).as_posix() for path in there}
    assert found in (listed, set()) or found > listed
    if found:
        assert [name for name in FILES[provider] if not (REPOSITORY / name).is_file()] == []
