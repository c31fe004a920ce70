"""A proxy before a SageMaker endpoint that counts what passes, and does to it what networks and services do."""

import http.client
import json
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

THROTTLED = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
LIMIT_SECONDS = 60


class FaultyProxy:
    """Passes requests on; `throttled` and `dropped` say how many of an operation's next requests never arrive.

    Of those that are `lost`, the request arrives and its answer does not. `before` has what is done when an operation
    is asked for the next time, before its request is passed on.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.calls: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.before: dict[str, Callable[[dict[str, Any]], object]] = {}
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def reset(self) -> None:
        """Forget what was counted and planned."""
        for plan in (self.calls, self.throttled, self.dropped, self.lost, self.before):
            plan.clear()

    def close(self) -> None:
        """Free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: FaultyProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.owner.calls[operation] += 1
        if _happens(self.owner.dropped, operation):
            return
        if _happens(self.owner.throttled, operation):
            self._answer(400, "application/x-amz-json-1.1", THROTTLED)
            return
        if act := self.owner.before.pop(operation, None):
            act(json.loads(body))
        answer = self._pass_on(body)
        if not _happens(self.owner.lost, operation):
            self._answer(*answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        pass

    def _pass_on(self, body: bytes) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection(self.owner.target, timeout=LIMIT_SECONDS)
        connection.request("POST", self.path, body, {**dict(self.headers), "Host": self.owner.target})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers["Content-Type"], content

    def _answer(self, status: int, content_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _happens(plan: Counter[str], operation: str) -> bool:
    plan[operation] -= 1
    return plan[operation] >= 0
