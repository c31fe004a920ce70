"""The guard of the notebooks' network: nothing but this machine is reached, and whoever tries is written down."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.notebooks.guard.sitecustomize import OUTGOING_CALLS
from tests.notebooks.learner import GUARD

# An address that is for documentation only, so that nobody is asked even if the guard is broken.
ELSEWHERE = "192.0.2.1"
LISTEN_AND_CONNECT = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    print(client.getpeername()[0])
"""


def run(calls: Path, code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(GUARD), OUTGOING_CALLS: str(calls)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "call",
    [
        f"socket.create_connection(('{ELSEWHERE}', 80), 1)",
        f"socket.socket().connect(('{ELSEWHERE}', 80))",
        f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('{ELSEWHERE}', 53))",
        "socket.getaddrinfo('somewhere.invalid', 443)",
    ],
)
def test_a_call_to_elsewhere_is_refused_and_written_down(call: str, tmp_path: Path) -> None:
    done = run(tmp_path / "calls", f"import socket\n{call}")
    assert done.returncode == 1
    assert "the notebooks have no network here" in done.stderr
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


def test_this_machine_is_reached(tmp_path: Path) -> None:
    assert run(tmp_path / "calls", LISTEN_AND_CONNECT).stdout == "127.0.0.1\n"
    assert not (tmp_path / "calls").exists()
