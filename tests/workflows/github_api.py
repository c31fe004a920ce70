"""GitHub's API of pull requests' comments and of environments on a loopback port, which keeps what is written."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.workflows.github import BOT, REPOSITORY, Environment

PAGE_SIZE = 2
LONGEST_BODY = 65536


class GitHubApi:
    """Comments of pull requests, by pull request; whoever writes needs a token with `pull-requests: write`."""

    def __init__(self) -> None:
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.environments: dict[str, Environment] = {}
        self.calls: list[str] = []
        api = self

        class Handler(_Handler):
            owner = api

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def add(self, number: int, body: str, *, login: str = BOT) -> dict[str, Any]:
        """Keep a comment and return it as the API does."""
        taken = sum(map(len, self.comments.values()))
        comment = {"id": 100 + taken, "body": body, "user": {"login": login}}
        self.comments.setdefault(number, []).append(comment)
        return comment

    def close(self) -> None:
        """Free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: GitHubApi
    _path = re.compile(rf"/repos/{REPOSITORY}/issues/(?:(?P<number>\d+)/comments|comments/(?P<id>\d+))")

    def do_GET(self) -> None:
        folder, _, name = urlsplit(self.path).path.rpartition("/")
        if folder == f"/repos/{REPOSITORY}/environments":
            self._show_environment(name)
            return
        number, page = self._number(), int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
        found = self.owner.comments.get(number, [])
        more = len(found) > page * PAGE_SIZE
        following = f'<{self.owner.url}{urlsplit(self.path).path}?page={page + 1}>; rel="next"'
        self._answer(200, found[(page - 1) * PAGE_SIZE :][:PAGE_SIZE], {"Link": following} if more else {})

    def do_POST(self) -> None:
        if body := self._body():
            self._answer(201, self.owner.add(self._number(), body))

    def do_PATCH(self) -> None:
        found = self._path.fullmatch(urlsplit(self.path).path)
        wanted = int(found["id"]) if found and found["id"] else None
        for comment in (one for all_of in self.owner.comments.values() for one in all_of):
            if comment["id"] == wanted and (body := self._body()):
                comment["body"] = body
                self._answer(200, comment)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        self.owner.calls.append(f"{self.command} {self.path}")

    def _show_environment(self, name: str) -> None:
        environment = self.owner.environments.get(name)
        if "actions=read" not in self.headers["Authorization"]:
            self._answer(403, {"message": "Resource not accessible by integration"})
        elif environment is None:
            self._answer(404, {"message": "Not Found"})
        else:
            people = [{"type": "User", "reviewer": {"login": login}} for login in environment.reviewers]
            review = {"type": "required_reviewers", "reviewers": people}
            rules = [{"type": "branch_policy"}, *([review] if people else [])]
            self._answer(200, {"name": name, "protection_rules": rules})

    def _number(self) -> int:
        found = self._path.fullmatch(urlsplit(self.path).path)
        assert found, self.path
        return int(found["number"])

    def _body(self) -> str | None:
        """Return the comment's text, unless it was refused."""
        body: str = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        if "pull-requests=write" not in self.headers["Authorization"]:
            self._answer(403, {"message": "Resource not accessible by integration"})
            return None
        if len(body) > LONGEST_BODY:
            self._answer(422, {"message": "Body is too long (maximum is 65536 characters)"})
            return None
        return body

    def _answer(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
