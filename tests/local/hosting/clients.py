"""Clients of an endpoint's port."""

import http.client
import threading
from contextlib import closing
from typing import Any

from tests.local.containers.processes import wait_for


class Client:
    """A client that keeps its connection to a port."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, body: bytes = b"1,2", path: str = "/invocations", method: str = "POST", **headers: str) -> Any:
        """Return the response; its `text` is the body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, named)
        response: Any = self.connection.getresponse()
        response.text = response.read().decode()
        return response

    def close(self) -> None:
        self.connection.close()


class Load:
    """Clients that ask all the time, each over a connection of its own; `answers` is what they got."""

    def __init__(self, port: int, clients: int = 4) -> None:
        self._port = port
        self._ending = threading.Event()
        self.answers: list[tuple[int, str]] = []
        self.problems: list[Exception] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def _ask(self) -> None:
        with closing(Client(self._port)) as client:
            while not self._ending.is_set():
                try:
                    response = client.ask()
                except (OSError, http.client.HTTPException) as problem:
                    self.problems.append(problem)
                    return
                self.answers.append((response.status, response.text))

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        self.wait_for_more()
        return self

    def wait_for_more(self, count: int = 20) -> None:
        """Wait until so many more answers came."""
        wanted = len(self.answers) + count
        wait_for(lambda: len(self.answers) >= wanted or bool(self.problems))

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()
