"""The commit that a run belongs to: as given, as CI says, or as git says of the working folder."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pipelines.delivery.definition import Run
from pipelines.delivery.errors import UsageError

HEAD = "HEAD"
# Pipeline parameters that are set to the commit wherever a definition declares them.
COMMIT_PARAMETER, REPOSITORY_PARAMETER = "CommitId", "Repository"
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_GIT_SECONDS = 10
_LONGEST_REPOSITORY = 1024


@dataclass(frozen=True)
class Commit:
    """A commit and its repository as far as they are known; a binding one has one execution for each of its runs."""

    sha: str | None = None
    repository: str | None = None
    is_binding: bool = False


def check_commit(given: str) -> None:
    """Refuse what names no commit, or several."""
    if given != HEAD and not _SHA.fullmatch(given):
        raise UsageError(f"--commit {given} is no commit's SHA: give all 40 (or 64) lower-case hex digits, or {HEAD}")


def find_commit(given: str | None, folder: Path, environment: Mapping[str, str] = os.environ) -> Commit:
    """Return the commit of a run that is started in a folder; only one that is asked for must be there.

    What a person's clean working folder holds is told as lineage; it does not bind, for who types the command again
    wants another run.
    """
    if given == HEAD:
        return Commit(_head(folder), _repository(folder, environment), is_binding=True)
    sha = given or ci_commit(environment)
    if sha:
        return Commit(sha, _repository(folder, environment), is_binding=True)
    # Side by side, since every run of a person waits for both.
    with ThreadPoolExecutor(1) as beside:
        repository = beside.submit(_repository, folder, environment)
        try:
            return Commit(_head(folder), repository.result())
        except UsageError:
            return Commit()


def with_commit(run: Run, commit: Commit) -> Run:
    """Return the run with the commit in the parameters that its definition declares for it and nobody has set."""
    known = {COMMIT_PARAMETER: commit.sha, REPOSITORY_PARAMETER: commit.repository}
    lineage = {name: value for name, value in known.items() if value and name in run.definition.parameters}
    return replace(run, parameters={**lineage, **run.parameters})


def ci_commit(environment: Mapping[str, str]) -> str | None:
    """Return the commit that GitHub Actions or CodeBuild say they build."""
    # CodeBuild gives an S3 object's version where the source is a bucket.
    names = ("GITHUB_SHA", "CODEBUILD_RESOLVED_SOURCE_VERSION")
    return next((sha for name in names if _SHA.fullmatch(sha := environment.get(name, ""))), None)


def _repository(folder: Path, environment: Mapping[str, str]) -> str | None:
    server, name = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    url = f"{server}/{name}" if server and name else environment.get("CODEBUILD_SOURCE_REPO_URL")
    try:
        url = url or _git(folder, "config", "--get", "remote.origin.url").strip()
    except UsageError:
        return None
    return _without_password(url)[:_LONGEST_REPOSITORY] or None


def _without_password(url: str) -> str:
    """Return a URL without the token that CI often puts into it."""
    parts = urlsplit(url)
    is_web = parts.scheme in {"http", "https"}
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if is_web else url


def _head(folder: Path) -> str:
    """Return the commit that the folder holds unchanged; files that git was never told of do not count."""
    lines = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no").splitlines()
    sha = next((line.rpartition(" ")[2] for line in lines if line.startswith("# branch.oid ")), "")
    if not _SHA.fullmatch(sha):
        raise UsageError(f"--commit {HEAD}: {folder} has no commit yet: commit first, or leave out --commit")
    changed = [line for line in lines if not line.startswith("#")]
    if changed:
        raise UsageError(
            f"--commit {HEAD}: {folder} has {len(changed)} changed files, so it is not what {sha[:12]} holds: "
            "commit them, or leave out --commit"
        )
    return sha


def _git(folder: Path, *arguments: str) -> str:
    # Without the lock a look at the state never gets in the way of the person's own git.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=_GIT_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "it is not set").strip().splitlines()[0]
        raise UsageError(f"--commit {HEAD}: git in {folder}: {said}; give the SHA, or leave out --commit") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"--commit {HEAD}: git cannot be asked in {folder}: {error}; give the SHA") from error
    return done.stdout
