"""`sagemaker-local ui`, in a process of its own."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.server.conftest import LIMIT_SECONDS, plain_environment
from tests.ui.browsing import FORM, Client

COMMAND = [sys.executable, "-m", "pipelines.sagemaker_local", "ui"]
Start = Callable[..., tuple["subprocess.Popen[str]", Client]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts the command, and returns its process and a client of it."""
    started: list[subprocess.Popen[str]] = []

    def begin(port: int = 0) -> tuple["subprocess.Popen[str]", Client]:
        process = subprocess.Popen(
            [*COMMAND, "--local-root", str(tmp_path / "root"), "--port", str(port)],
            cwd=tmp_path,
            env=plain_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert match, line or process.communicate()
        return process, Client(match[0])

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_with_connections_open(start: Start, number: signal.Signals) -> None:
    process, client = start()
    host, port = client.host.split(":")
    assert client.get("/").status == 200
    with (
        socket.create_connection((host, int(port))) as idle,
        socket.create_connection((host, int(port))) as halfway,
    ):
        idle.sendall(f"GET / HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
        assert idle.recv(12) == b"HTTP/1.1 200"
        halfway.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n")
        process.send_signal(number)
        output, error = process.communicate(timeout=LIMIT_SECONDS)
    assert (process.returncode, output, error) == (0, "", "")


def test_a_signal_ends_it_without_a_word_while_a_form_is_being_sent(start: Start) -> None:
    process, client = start()
    host, port = client.host.split(":")
    with socket.create_connection((host, int(port))) as halfway:
        form = f"Content-Type: {FORM}\r\nContent-Length: 9\r\nExpect: 100-continue"
        halfway.sendall(f"POST /registry/g/1 HTTP/1.1\r\nHost: {client.host}\r\n{form}\r\n\r\n".encode())
        # The server is at work on it.
        assert halfway.recv(12) == b"HTTP/1.1 100"
        process.terminate()
        output, error = process.communicate(timeout=LIMIT_SECONDS)
    assert (process.returncode, output, error) == (0, "", "")


def test_it_ends_without_a_word_when_its_root_is_gone(start: Start, tmp_path: Path) -> None:
    process, client = start()
    shutil.rmtree(tmp_path / "root")
    assert client.get("/").status == 503
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=LIMIT_SECONDS)
    assert (process.returncode, output, error) == (0, "", "")
    assert not (tmp_path / "root").exists()


def test_a_port_in_use_is_one_line(start: Start, tmp_path: Path) -> None:
    _, client = start()
    port = client.host.partition(":")[2]
    done = subprocess.run(
        [*COMMAND, "--local-root", str(tmp_path / "root"), "--port", port],
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"sagemaker-local: error: cannot serve port {port} of 127.0.0.1: Address already in use; "
        "choose another port, or 0 for a free one\n"
    )
    assert client.get("/").status == 200


def test_a_state_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "state.sqlite").write_text("this is no database, however long one looks at it")
    done = subprocess.run(
        [*COMMAND, "--local-root", str(root), "--port", "0"],
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "state.sqlite cannot be used as this machine's state" in done.stderr


def test_its_port_can_be_had_again_at_once(start: Start) -> None:
    process, client = start()
    assert client.get("/").status == 200
    process.terminate()
    process.communicate(timeout=LIMIT_SECONDS)
    _, again = start(int(client.host.partition(":")[2]))
    assert again.host == client.host
    assert again.get("/").status == 200


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--port", "65536"], 2, "expected a number from 0 to 65535"),
        (["--local-root", ""], 2, "the value is empty"),
        (["--local-root", "file"], 1, "choose another root folder"),
        (["--follow"], 2, "unrecognized arguments: --follow"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    (tmp_path / "file").write_text("mine")
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=tmp_path,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert words in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
