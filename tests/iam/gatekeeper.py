"""A proxy before an AWS account that lets through what the caller's role may do by its policy."""

import http.client
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from tests.iam.calls import FREE, Call, questions
from tests.iam.evaluator import Policy, Request, allows

LIMIT_SECONDS = 60
HOP_BY_HOP = {"connection", "content-length", "transfer-encoding"}


class Gatekeeper:
    """Knows the permissions of each role, by its ARN, which callers give as their session token.

    `key` is the ARN of the key that buckets are encrypted by, if they are by one of the account's own. `answers` has
    what operations return that the account does not know.
    """

    def __init__(self, target: str, permissions: Mapping[str, Policy], *, key: str | None = None) -> None:
        self.target = urlsplit(target).netloc
        self.permissions = permissions
        self.key = key
        self.answers: dict[str, Any] = {}
        self.calls: list[tuple[str, Call]] = []
        self.asked: list[tuple[str, Request]] = []
        self.refused: list[tuple[str, Request]] = []
        gatekeeper = self

        class Handler(_Handler):
            owner = gatekeeper

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def judge(self, call: Call) -> Request | None:
        """Return what of a call is not allowed, if anything."""
        role = call.headers["X-Amz-Security-Token"]
        self.calls.append((role, call))
        for question in questions(call, key=self.key):
            if question.action in FREE:
                continue
            self.asked.append((role, question))
            if not allows(self.permissions[role], question):
                self.refused.append((role, question))
                return question
        return None

    def actions(self, role: str) -> list[str]:
        """Return what a role did, in its order."""
        return [request.action for caller, request in self.asked if caller == role]

    def reset(self) -> None:
        """Forget what was asked."""
        self.calls.clear()
        self.asked.clear()
        self.refused.clear()

    def close(self) -> None:
        """Free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: Gatekeeper
    protocol_version = "HTTP/1.1"
    # One packet for head and body: two would wait for each other, which the latency test would take for the endpoint's.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = Call(self.command, self.path, self.headers, body)
        refused = self.owner.judge(call)
        if refused:
            self._refuse(f"User: a role is not authorized to perform: {refused.action} on resource: {refused.resource}")
            return
        if call.operation in self.owner.answers:
            content = json.dumps(self.owner.answers[call.operation]).encode()
            self._answer(200, {"Content-Type": "application/x-amz-json-1.1"}, content)
            return
        connection = http.client.HTTPConnection(self.owner.target, timeout=LIMIT_SECONDS)
        connection.request(self.command, self.path, body, {**dict(self.headers), "Host": self.owner.target})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        self._answer(answer.status, headers, content, length=answer.headers.get("Content-Length"))

    def handle_expect_100(self) -> bool:
        """Let a client go on that waits to be told so: uploads do, for a second."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815 - the base's names

    def _refuse(self, message: str) -> None:
        if "X-Amz-Target" in self.headers:
            content = json.dumps({"__type": "AccessDeniedException", "message": message})
            self._answer(400, {"Content-Type": "application/x-amz-json-1.1"}, content.encode())
        else:
            error = f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
            self._answer(403, {"Content-Type": "application/xml"}, error.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes, length: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        # A HEAD's answer tells the length of what it does not have.
        self.send_header("Content-Length", (length if self.command == "HEAD" else None) or str(len(content)))
        self.end_headers()
        self.wfile.write(content)
