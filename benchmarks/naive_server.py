"""The naive way to serve a model: the standard library's HTTP server around the inference functions, one process.

`python -m benchmarks.naive_server MODEL-DIR` prints its port and serves until its standard input is closed.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from benchmarks.inference_functions import Inference


class Handler(BaseHTTPRequestHandler):
    """Answers POST /invocations."""

    protocol_version = "HTTP/1.1"
    inference: Inference
    # A response must not wait for the acknowledgement of its head.
    wbufsize = -1

    def do_POST(self) -> None:
        """Answer claims with probabilities."""
        body = self.rfile.read(int(self.headers["content-length"]))
        answer = self.inference(body).encode()
        self.send_response(200)
        self.send_header("content-type", "text/csv")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing: a line a request would be measured too."""


def main() -> None:
    """Serve on a free port of loopback."""
    Handler.inference = Inference(sys.argv[1])
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
