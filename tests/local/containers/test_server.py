"""The warm server, at moments that come seldom by themselves."""

import json
import subprocess
import sys
import textwrap
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from pipelines.local.containers.host import Host
from pipelines.local.containers.stop import Stop
from tests.local.containers.processes import script

LATE_SERVER = """
    import os, signal, socket, sys
    from pathlib import Path
    from pipelines.local.containers.server import Server

    class Late(Server):
        def send(self, message):
            if "started" in message:
                os.waitid(os.P_PID, message["pid"], os.WEXITED | os.WNOWAIT)
            super().send(message)

    ours, theirs = socket.socketpair()
    folder = Path(sys.argv[1])
    server = Late(theirs, folder / "tools", isolate=False)
    signal.signal(signal.SIGCHLD, lambda *_: server.reap())
    paths = {name: str(folder / name) for name in ("tree", "scratch", "log")}
    (folder / "scratch").mkdir()
    server.start({"start": 1, "command": ["true"], "environment": {}, "cpus": None, "folder": None, **paths})
    theirs.close()
    sys.stdout.write(ours.makefile().read())
"""


def test_a_job_that_ends_before_its_start_is_reported_is_still_reported_in_order(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(LATE_SERVER), str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]).stdout

    started, ended = map(json.loads, said.splitlines())

    assert started["started"] == 1
    assert ended == {"ended": 1, "status": 0}


def test_a_job_that_names_its_library_starts_when_that_is_loaded(tmp_path: Path) -> None:
    asking = replace(script(tmp_path, "import sys; print('xgboost' in sys.modules)"), library="xgboost")

    with closing(Host()) as host:
        ended = host.run(asking, Stop())

    assert ended.code == 0
    assert asking.log.read_text() == "True\n"
