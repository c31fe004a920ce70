"""GitHub's environments: without rules, whoever may push deploys to production."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from pipelines.adoption.doctor.finding import UNREADABLE, Finding, left_out, ok, problem, unknown, unreadable
from pipelines.adoption.doctor.subject import GitHub, Subject

STAGES = ("staging", "production", "approval")
REVIEWED = "production"
IN_REGISTRY = "PRODUCTION_APPROVAL"
_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """What GitHub says to a question."""

    status: int
    document: Any


def check_environments(subject: Subject) -> Iterator[Finding]:
    """Look for the environments of the repository, and for production's reviewers."""
    github = subject.github
    if github is None:
        return
    if github.repository is None:
        yield left_out("environments", "the repository is not known", "give it by --repository OWNER/NAME")
        return
    if github.token is None:
        yield left_out("environments", "GITHUB_TOKEN is not set", *_by_hand(github.repository))
        return
    yield from _environments(github, github.repository)


def _environments(github: GitHub, repository: str) -> Iterator[Finding]:
    try:
        seen = _ask(github, f"repos/{repository}")
        if seen.status != HTTPStatus.OK:
            yield _refused("environments", repository, seen)
            return
        for stage in STAGES:
            yield _judge(github, repository, stage, _ask(github, f"repos/{repository}/environments/{stage}"))
    except (OSError, HTTPException) as error:
        yield unknown("environments", f"{github.url} does not answer: {error!r}", *_by_hand(repository))
    except UNREADABLE as error:
        yield unknown("environments", unreadable(error), *_by_hand(repository))


def _judge(github: GitHub, repository: str, stage: str, found: Answer) -> Finding:
    name, path = f"environment {stage}", f"repos/{repository}/environments/{stage}"
    if found.status == HTTPStatus.NOT_FOUND:
        # GitHub makes one that a job names, without any rule.
        return problem(name, f"{repository} has none", f"gh api --method PUT {path}")
    if found.status != HTTPStatus.OK:
        return _refused(name, repository, found)
    if stage != REVIEWED:
        return ok(name, "it is there")
    rules = [rule for rule in found.document.get("protection_rules", []) if rule["type"] == "required_reviewers"]
    if rules:
        return ok(name, f"{len(rules[0].get('reviewers', []))} reviewers can let a model in")
    decided = _ask(github, f"repos/{repository}/actions/variables/{IN_REGISTRY}")
    if decided.status == HTTPStatus.OK and decided.document["value"] == "registry":
        return ok(name, f"it has no reviewers, and {IN_REGISTRY} is registry: the registry's approval lets a model in")
    return problem(
        name,
        "nobody has to review what is deployed to it",
        f"gh api --method PUT {path} -F 'reviewers[][type]=User' -F \"reviewers[][id]=$(gh api users/LOGIN --jq .id)\"",
        f"gh variable set {IN_REGISTRY} --body registry --repo {repository}  # instead, where GitHub has none to offer",
    )


def _refused(name: str, repository: str, answer: Answer) -> Finding:
    said = answer.document.get("message", "") if isinstance(answer.document, dict) else ""
    return unknown(
        name, f"GitHub answers {answer.status} to GITHUB_TOKEN about {repository}: {said}", *_by_hand(repository)
    )


def _by_hand(repository: str) -> tuple[str, ...]:
    return (
        f"look at https://github.com/{repository}/settings/environments: {', '.join(STAGES)} are there, "
        f"and {REVIEWED} has required reviewers",
    )


def _ask(github: GitHub, path: str) -> Answer:
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    # The address is GitHub's own, or the one that GitHub's runners are given.
    request = urllib.request.Request(f"{github.url}/{path}", headers=headers)  # noqa: S310
    # Wherever GitHub may send the request on to, the token stays here.
    request.add_unredirected_header("Authorization", f"Bearer {github.token}")
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return Answer(answer.status, json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _document(error.read()))


def _document(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return {}
