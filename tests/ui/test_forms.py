"""What the server takes of those who are not its own pages: nothing that changes anything."""

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pipelines.ui.forms import LARGEST_BYTES, MOST_AT_ONCE, action
from pipelines.ui.security import Guard, Tokens
from pipelines.ui.server import AppServer
from tests.ui.browsing import FORM, Client
from tests.unprivileged import NOBODY

TOKENS = Tokens(b"secret")
TOKEN = TOKENS.make("/change")
# More than the server has threads.
SENDERS = 50


class Changes:
    """An app of one form, and what was changed by it."""

    def __init__(self) -> None:
        self.made: list[Mapping[str, str]] = []
        self.at_work, self.may_go_on = threading.Event(), threading.Event()
        self.may_go_on.set()

    def change(self, request: Request, fields: Mapping[str, str]) -> Response:
        self.at_work.set()
        self.may_go_on.wait()
        self.made.append({name: value for name, value in fields.items() if name != "token"})
        return PlainTextResponse("changed")

    def show(self, request: Request) -> Response:
        return PlainTextResponse(f"{len(self.made)} changes")

    def app(self, port: int) -> ASGIApp:
        app = Starlette(
            routes=[action("/change", self.change), Route("/", self.show)], middleware=[Middleware(Guard, port=port)]
        )
        app.state.tokens = TOKENS
        app.state.room = CapacityLimiter(MOST_AT_ONCE)
        return app


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def client(changes: Changes) -> Iterator[Client]:
    server = AppServer(changes.app)
    yield Client(server.url)
    server.close()


def test_a_form_of_its_own_page_changes_something_once(client: Client, changes: Changes) -> None:
    answer = client.post(
        "/change",
        {"token": TOKEN, "note": "사기 & <b>", "empty": ""},
        Origin=f"http://{client.host}",
        Sec_Fetch_Site="same-origin",
    )
    assert (answer.status, answer.text) == (200, "changed")
    assert changes.made == [{"note": "사기 & <b>", "empty": ""}]


@pytest.mark.parametrize("token", ["", "x", "é", TOKENS.make("/other"), Tokens(b"other").make("/change")])
def test_a_form_without_the_token_of_its_address_changes_nothing(client: Client, changes: Changes, token: str) -> None:
    answer = client.post("/change", {"token": token, "note": "x"})
    assert answer.status == 403
    assert "load its page again" in answer.text
    assert not changes.made


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "elsewhere.example"},
        {"Host": "127.0.0.1.elsewhere.example"},
        {"Host": "elsewhere.example", "Origin": "http://elsewhere.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
    ],
)
def test_a_page_elsewhere_changes_nothing_even_with_a_token(
    client: Client, changes: Changes, headers: dict[str, str]
) -> None:
    answer = client.post("/change", {"token": TOKEN}, **headers)
    assert answer.status == 403
    assert answer.text.startswith("this server is ")
    assert not changes.made


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_other_users_of_this_machine_see_and_change_nothing(client: Client, changes: Changes) -> None:
    host, port = client.host.split(":")
    os.seteuid(NOBODY)
    try:
        foreign = socket.create_connection((host, int(port)))
    finally:
        os.seteuid(0)
    with foreign:
        body = f"token={TOKEN}"
        head = f"POST /change HTTP/1.1\r\nHost: {client.host}\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}"
        foreign.sendall(f"{head}\r\n\r\n{body}".encode())
        assert foreign.recv(12) == b"HTTP/1.1 403"
    assert not changes.made
    assert client.post("/change", {"token": TOKEN}).status == 200


def test_a_link_from_elsewhere_may_be_followed_and_nothing_else_loaded(client: Client) -> None:
    visit = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert client.get("/", **visit).status == 200
    for dest, mode in (("script", "no-cors"), ("image", "no-cors"), ("empty", "cors"), ("iframe", "navigate")):
        found = client.get("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode=mode, Sec_Fetch_Dest=dest)
        assert found.status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused(client: Client, changes: Changes, method: str) -> None:
    answer = client.ask(method, "/change", b"", {})
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert answer.text == f"this server answers GET, HEAD, POST, not '{method}'\n"
    assert not changes.made


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (f"token={TOKEN}".encode(), "application/json", 415),
        (f"token={TOKEN}".encode(), "multipart/form-data; boundary=x", 415),
        (f"token={TOKEN}".encode(), "text/plain", 415),
        (f"token={TOKEN}&a=%ff".encode(), FORM, 400),
        (f"token={TOKEN}".encode() + b"&a=\xff", FORM, 400),
        (f"token={TOKEN}&".encode() + b"a=1&" * 200, FORM, 400),
        (b"token=" + b"x" * (LARGEST_BYTES + 1), FORM, 413),
        (b"", FORM, 403),
    ],
)
def test_what_is_no_form_is_refused(client: Client, changes: Changes, body: bytes, kind: str, status: int) -> None:
    assert client.ask("POST", "/change", body, {"Content_Type": kind}).status == status
    assert not changes.made


def test_a_form_that_ends_before_its_end_changes_nothing(client: Client, changes: Changes) -> None:
    host, port = client.host.split(":")
    with socket.create_connection((host, int(port))) as wire:
        head = f"POST /change HTTP/1.1\r\nHost: {client.host}\r\nContent-Type: {FORM}\r\nContent-Length: 99\r\n\r\n"
        wire.sendall(f"{head}token={TOKEN}".encode())
    # It is answered after the one that was cut off.
    assert client.post("/change", {"token": ""}).status == 403
    assert not changes.made


def test_pages_come_while_many_forms_take_their_time(client: Client, changes: Changes) -> None:
    changes.may_go_on.clear()
    with ThreadPoolExecutor(SENDERS) as pool:
        sent = [pool.submit(client.post, "/change", {"token": TOKEN}) for _ in range(SENDERS)]
        changes.at_work.wait()
        try:
            assert client.get("/").text == "0 changes"
        finally:
            changes.may_go_on.set()
        assert [each.result().status for each in sent] == [200] * SENDERS
    assert len(changes.made) == SENDERS


def test_an_http_request_without_a_host_is_refused(client: Client) -> None:
    host, port = client.host.split(":")
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert wire.recv(100).startswith(b"HTTP/1.1 40")
