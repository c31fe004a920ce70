"""HTTP as it goes over the socket: keep-alive, framing, 100-continue, and requests that are none."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.local.server import Server
from tests.local.server.conftest import Connect, Wire

Objects = Callable[[], dict[str, bytes]]

JSON = "Content-Type: application/x-amz-json-1.1"
LIST = "X-Amz-Target: SageMaker.ListPipelines"
DESCRIBE = "X-Amz-Target: SageMaker.DescribePipeline"


def test_a_connection_serves_one_request_after_the_other(wire: Wire, objects: Objects) -> None:
    for number in range(20):
        assert wire.ask(f"PUT /bucket/{number}", body=b"x" * number * 1000).status == 200
        assert wire.ask(f"GET /bucket/{number}").body == b"x" * number * 1000
        assert wire.ask("POST /", JSON, LIST, body=b"{}").body == b'{"PipelineSummaries": []}'
        assert wire.ask("GET /bucket/missing").status == 404
    assert len(objects()) == 20


def test_requests_sent_in_one_go_are_answered_in_order(wire: Wire) -> None:
    for number in range(5):
        wire.request(f"PUT /bucket/{number}", body=str(number).encode())
        wire.request(f"GET /bucket/{number}")
    for number in range(5):
        assert wire.reply().headers["etag"]
        assert wire.reply().body == str(number).encode()


def test_a_client_that_wants_no_more_is_left(wire: Wire) -> None:
    reply = wire.ask("GET /", "Connection: close")
    assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert wire.is_closed()


def test_http_1_0_gets_one_answer(wire: Wire) -> None:
    wire.send(f"GET / HTTP/1.0\r\nHost: 127.0.0.1:{wire.port}\r\n\r\n".encode())
    assert wire.reply().headers["connection"] == "close"
    assert wire.is_closed()


def test_head_has_the_length_and_no_body(wire: Wire) -> None:
    wire.ask("PUT /bucket/a", body=b"12345")
    assert wire.ask("HEAD /bucket/a").headers["content-length"] == "5"
    assert wire.ask("HEAD /bucket/none").status == 404
    assert wire.ask("GET /bucket/a").body == b"12345"


def test_a_deletion_is_answered_without_a_body_and_without_a_length(wire: Wire) -> None:
    reply = wire.ask("DELETE /bucket/a")
    assert (reply.status, "content-length" in reply.headers) == (204, False)
    assert wire.ask("GET /bucket/a").status == 404


@pytest.mark.parametrize(
    ("asked", "status", "body", "span"),
    [
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=3-5", 206, b"345", "bytes 3-5/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=4-999", 206, b"456789", "bytes 4-9/10"),
        ("bytes=5-2", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_a_range(wire: Wire, asked: str, status: int, body: bytes, span: str | None) -> None:
    wire.ask("PUT /bucket/a", body=b"0123456789")
    reply = wire.ask("GET /bucket/a", f"Range: {asked}")
    assert (reply.status, reply.body, reply.headers.get("content-range")) == (status, body, span)


def test_a_range_beyond_the_end(wire: Wire) -> None:
    wire.ask("PUT /bucket/a", body=b"0123456789")
    assert wire.ask("GET /bucket/a", "Range: bytes=10-").status == 416


@pytest.mark.parametrize(
    ("chunks", "content"),
    [
        (b"0\r\n\r\n", b""),
        (b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"A;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n", b"0123456789"),
        (b"40000\r\n" + b"x" * 0x40000 + b"\r\n0\r\n\r\n", b"x" * 0x40000),
    ],
)
def test_a_chunked_body(wire: Wire, objects: Objects, chunks: bytes, content: bytes) -> None:
    wire.request("PUT /bucket/a", "Transfer-Encoding: chunked")
    wire.send(chunks)
    assert wire.reply().status == 200
    assert objects() == {"a": content}
    assert wire.ask("GET /bucket/a").body == content


@pytest.mark.parametrize(
    "chunks",
    [
        b"\r\n",
        b"x\r\n",
        b"-3\r\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nab",
        b"3",
        b"0\r\nTrailer",
        b"1" * 20 + b"\r\n",
        b"3 4\r\n",
    ],
)
def test_a_chunked_body_that_is_none_writes_nothing(
    wire: Wire, connect: Connect, objects: Objects, chunks: bytes
) -> None:
    wire.request("PUT /bucket/a", "Transfer-Encoding: chunked")
    wire.send(chunks)
    wire.socket.shutdown(1)
    reply = wire.reply()
    assert (reply.status, b"<Code>IncompleteBody</Code>" in reply.body) == (400, True)
    assert wire.is_closed()
    assert objects() == {}
    assert connect().ask("GET /").status == 200


def test_a_body_that_ends_early_writes_nothing(wire: Wire, objects: Objects) -> None:
    wire.request("PUT /bucket/a", "Content-Length: 10")
    wire.send(b"12345")
    wire.socket.shutdown(1)
    assert wire.reply().status == 400
    assert objects() == {}


def test_an_object_that_the_disk_has_no_room_for_is_refused_at_once(wire: Wire, objects: Objects) -> None:
    wire.request("PUT /bucket/a", f"Content-Length: {10**17}", "Expect: 100-continue")
    reply = wire.reply()
    assert (reply.status, b"<Code>EntityTooLarge</Code>" in reply.body) == (413, True)
    assert objects() == {}


def test_the_body_is_asked_for_where_the_client_waits(wire: Wire, objects: Objects) -> None:
    wire.request("PUT /bucket/a", "Content-Length: 5", "Expect: 100-continue")
    assert wire.socket.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(b"12345")
    assert wire.reply().status == 200
    assert objects() == {"a": b"12345"}


def test_the_body_of_what_is_refused_is_not_asked_for(wire: Wire, objects: Objects) -> None:
    wire.request("PUT /bucket/..%2fa", "Content-Length: 5", "Expect: 100-continue")
    assert wire.socket.recv(12, 2) == b"HTTP/1.1 400"
    assert wire.reply().headers["connection"] == "close"
    assert wire.is_closed()
    assert objects() == {}


def test_what_nobody_reads_of_a_body_does_not_become_a_request(wire: Wire) -> None:
    smuggled = b"PUT /bucket/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert wire.ask("PUT /missing/a", body=smuggled).status == 404
    assert wire.ask("GET /bucket/smuggled").status == 404


def test_a_client_that_sends_much_of_what_is_refused_reads_why(connect: Connect, objects: Objects) -> None:
    for _ in range(5):
        wire = connect()
        wire.request("PUT /missing/a", body=b"x" * (20 << 20))
        assert b"<Code>NoSuchBucket</Code>" in wire.reply().body
    assert objects() == {}


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"hello\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1x\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
        (b"GET /a#b HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"PUT /bucket/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", 400),
        (b"PUT /bucket/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: five\r\n\r\n", 400),
        (b"PUT /bucket/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5, 5\r\n\r\n", 400),
        (b"PUT /bucket/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n", 400),
        (b"PUT /bucket/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400),
        (b"PUT /bucket/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"PUT /bucket/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"GET /" + b"a" * (1 << 14) + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (1 << 14) + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431),
        (b"PATCH /bucket/a HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
    ],
)
def test_what_is_no_request_is_refused_and_writes_nothing(
    connect: Connect, objects: Objects, head: bytes, status: int
) -> None:
    wire = connect()
    wire.send(head)
    assert wire.reply().status == status
    assert objects() == {}
    assert connect().ask("GET /bucket?list-type=2").status == 200


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        (b"", "ValidationException", "Missing required parameter"),
        (b"{", "SerializationException", "not JSON"),
        (b"\xff\xfe\xfd", "SerializationException", "not JSON"),
        (b"[" * 100_000, "SerializationException", "not JSON"),
        (b"[1]", "SerializationException", "no JSON object"),
        (b"{}", "ValidationException", 'Missing required parameter in input: "PipelineName"'),
        (b'{"PipelineName": 5}', "ValidationException", "Invalid type for parameter PipelineName"),
        (b'{"PipelineName": "p", "More": 1}', "ValidationException", "More"),
        (b'{"PipelineName": "p"}', "ResourceNotFound", "does not exist"),
    ],
)
def test_json_that_the_operation_does_not_take(wire: Wire, body: bytes, code: str, word: str) -> None:
    reply = wire.ask("POST /", JSON, DESCRIBE, body=body)
    answered = json.loads(reply.body)
    assert (reply.status, answered["__type"]) == (400, code)
    assert word in answered["message"]
    assert wire.ask("POST /", JSON, LIST, body=b"{}").status == 200


@pytest.mark.parametrize("target", ["POST /", "POST /bucket?delete", "POST /bucket/a?uploadId=x", "PUT /new"])
@pytest.mark.parametrize("framing", ["Content-Length: 9000000", "Transfer-Encoding: chunked"])
def test_a_document_that_is_too_long_is_refused(connect: Connect, root: Path, target: str, framing: str) -> None:
    wire = connect()
    wire.request(target, framing, *([DESCRIBE] if target == "POST /" else []))
    if "chunked" in framing:
        for _ in range(9):
            wire.send(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")
    reply = wire.reply()
    assert (reply.status, b"RequestEntityTooLarge" in reply.body) == (413, True)
    assert [path.name for path in (root / "s3").iterdir()] == ["bucket"]


@pytest.mark.parametrize(
    "path",
    [
        "/bucket/..%2f..%2fetc",
        "/bucket/../../etc/passwd",
        "/bucket/%2e%2e/x",
        "/..%2f..%2fetc/passwd",
        "/../etc/passwd",
        "/%2e%2e/x",
        "/bucket//etc/passwd",
        "/bucket/a%00b",
        "/bucket/%ff",
        "/bucket/.",
        "/.hidden/x",
    ],
)
def test_no_path_leads_out_of_the_buckets(wire: Wire, objects: Objects, root: Path, path: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    for method in ("GET", "PUT", "HEAD", "DELETE", "POST"):
        body = b"x" if method == "PUT" else b""
        reply = wire.ask(f"{method} {path}", body=body)
        assert reply.status in {400, 404, 501}, method
        assert b"root:" not in reply.body
    assert objects() == {}
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_that_a_client_gives_becomes_a_header(wire: Wire) -> None:
    wire.ask("PUT /bucket/a", "Content-Type: text/html", body=b"<script>")
    reply = wire.ask("GET /bucket/a?response-content-type=text/plain%0d%0aset-cookie:%20a=b")
    assert "set-cookie" not in reply.headers
    assert reply.headers["content-security-policy"] == "sandbox"
    assert wire.ask("GET /bucket/a").body == b"<script>"


def test_an_error_of_our_own_is_an_answer_too(server: Server, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_request: object) -> None:
        raise RuntimeError("broken")

    services: dict[str, object] = server._services  # type: ignore[assignment]
    services["s3"] = broken
    reply = wire.ask("GET /bucket")
    assert (reply.status, b"RuntimeError: broken" in reply.body) == (500, True)
    assert "ended by an error of the local SageMaker itself" in caplog.text
    assert wire.ask("POST /", JSON, LIST, body=b"{}").status == 200
