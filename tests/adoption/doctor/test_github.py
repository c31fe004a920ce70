"""The environments of a repository, at a GitHub on loopback."""

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from pipelines.adoption.doctor.finding import Finding, Verdict
from pipelines.adoption.doctor.github import check_environments
from pipelines.adoption.doctor.subject import GitHub
from tests.adoption.aws import MotoAws
from tests.adoption.doctor.subjects import only, subject, verdicts

REPOSITORY = "org/fraud"
TOKEN = "ghp_example"
REVIEWERS = {"type": "required_reviewers", "reviewers": [{"type": "User", "reviewer": {"login": "ada"}}]}
BRANCHES = {"type": "branch_policy"}


class FakeGitHub:
    """What GitHub has at each path; a number is a status without a document, a text is where it sends one on to."""

    def __init__(self) -> None:
        self.paths: dict[str, Any] = {
            f"/repos/{REPOSITORY}": {"name": "fraud"},
            **{f"/repos/{REPOSITORY}/environments/{name}": {"name": name} for name in ("staging", "approval")},
            f"/repos/{REPOSITORY}/environments/production": {"protection_rules": [BRANCHES, REVIEWERS]},
        }
        self.tokens: list[str | None] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake.tokens.append(self.headers["Authorization"])
                answer = fake.paths.get(self.path, 404)
                content = b"<html>" if isinstance(answer, int) else json.dumps(answer).encode()
                self.send_response(answer if isinstance(answer, int) else 302 if isinstance(answer, str) else 200)
                if isinstance(answer, str):
                    self.send_header("Location", answer)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    fake = FakeGitHub()
    yield fake
    fake.close()


def look(aws: MotoAws, url: str, *, repository: str | None = REPOSITORY, token: str | None = TOKEN) -> list[Finding]:
    return list(check_environments(subject(aws, github=GitHub(url, repository, token))))


def test_environments_with_reviewers_for_production_are_well(aws: MotoAws, github: FakeGitHub) -> None:
    found = look(aws, github.url)
    assert verdicts(iter(found)) == {
        f"environment {name}": Verdict.OK for name in ("staging", "production", "approval")
    }
    assert found[1].says == "1 reviewers can let a model in"
    assert set(github.tokens) == {f"Bearer {TOKEN}"}


def test_production_without_reviewers_is_a_problem(aws: MotoAws, github: FakeGitHub) -> None:
    github.paths[f"/repos/{REPOSITORY}/environments/production"] = {"protection_rules": [BRANCHES]}
    found = look(aws, github.url)[1]
    assert (found.verdict, found.says) == (Verdict.PROBLEM, "nobody has to review what is deployed to it")
    assert found.steps[0].startswith(f"gh api --method PUT repos/{REPOSITORY}/environments/production -F ")
    assert found.steps[1].startswith(f"gh variable set PRODUCTION_APPROVAL --body registry --repo {REPOSITORY}")


@pytest.mark.parametrize(("value", "verdict"), [("registry", Verdict.OK), ("reviewers", Verdict.PROBLEM)])
def test_the_registry_can_approve_in_place_of_reviewers(
    aws: MotoAws, github: FakeGitHub, value: str, verdict: Verdict
) -> None:
    github.paths[f"/repos/{REPOSITORY}/environments/production"] = {"protection_rules": []}
    github.paths[f"/repos/{REPOSITORY}/actions/variables/PRODUCTION_APPROVAL"] = {"value": value}
    assert look(aws, github.url)[1].verdict is verdict


def test_an_environment_that_github_would_make_without_rules_is_a_problem(aws: MotoAws, github: FakeGitHub) -> None:
    del github.paths[f"/repos/{REPOSITORY}/environments/staging"]
    found = look(aws, github.url)[0]
    assert (found.verdict, found.steps) == (
        Verdict.PROBLEM,
        (f"gh api --method PUT repos/{REPOSITORY}/environments/staging",),
    )


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_token_that_does_not_see_the_repository_checks_nothing(aws: MotoAws, github: FakeGitHub, status: int) -> None:
    github.paths[f"/repos/{REPOSITORY}"] = status
    found = only(iter(look(aws, github.url)))
    assert found.verdict is Verdict.UNKNOWN
    assert f"GitHub answers {status} to GITHUB_TOKEN about {REPOSITORY}" in found.says
    assert f"https://github.com/{REPOSITORY}/settings/environments" in found.steps[0]


def test_an_environment_that_the_token_may_not_read_is_not_checked(aws: MotoAws, github: FakeGitHub) -> None:
    github.paths[f"/repos/{REPOSITORY}/environments/production"] = 403
    assert verdicts(iter(look(aws, github.url)))["environment production"] is Verdict.UNKNOWN


def test_the_token_is_not_sent_on_to_another_place(aws: MotoAws, github: FakeGitHub) -> None:
    elsewhere = FakeGitHub()
    github.paths[f"/repos/{REPOSITORY}"] = f"{elsewhere.url}/repos/{REPOSITORY}"
    look(aws, github.url)
    elsewhere.close()
    assert github.tokens[0] == f"Bearer {TOKEN}"
    assert elsewhere.tokens == [None]


def test_without_a_token_it_is_said_where_to_look_and_nobody_is_asked(aws: MotoAws, github: FakeGitHub) -> None:
    found = only(iter(look(aws, github.url, token=None)))
    assert (found.verdict, found.says) == (Verdict.LEFT_OUT, "GITHUB_TOKEN is not set")
    assert "production has required reviewers" in found.steps[0]
    assert github.tokens == []


def test_without_a_repository_it_is_asked_for(aws: MotoAws, github: FakeGitHub) -> None:
    found = only(iter(look(aws, github.url, repository=None)))
    assert (found.verdict, found.steps) == (Verdict.LEFT_OUT, ("give it by --repository OWNER/NAME",))
    assert github.tokens == []


def test_a_github_that_does_not_answer_is_not_checked(aws: MotoAws, github: FakeGitHub) -> None:
    github.close()
    found = only(iter(look(aws, github.url)))
    assert found.verdict is Verdict.UNKNOWN
    assert found.says.startswith(f"{github.url} does not answer: ")


def test_where_codebuild_builds_github_is_not_asked(aws: MotoAws) -> None:
    assert list(check_environments(subject(aws))) == []


@pytest.mark.parametrize("document", [[], {"protection_rules": [{}]}, {"protection_rules": 7}])
def test_an_answer_that_cannot_be_read_is_not_checked(aws: MotoAws, github: FakeGitHub, document: object) -> None:
    github.paths[f"/repos/{REPOSITORY}/environments/production"] = document
    found = {each.name: each for each in look(aws, github.url)}
    assert found["environment staging"].verdict is Verdict.OK
    assert found["environments"].verdict is Verdict.UNKNOWN
    assert found["environments"].says.startswith("an answer cannot be read: ")
    assert "production has required reviewers" in found["environments"].steps[0]


def test_what_is_no_http_is_not_checked(aws: MotoAws) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=answer_rubbish, args=(server,))
        thread.start()
        found = only(iter(look(aws, f"http://127.0.0.1:{server.getsockname()[1]}")))
        thread.join()
    assert found.verdict is Verdict.UNKNOWN
    assert "does not answer: BadStatusLine" in found.says


def answer_rubbish(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"rubbish\r\n\r\n")
