"""Nothing of a job survives the processes that ran it."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.local.containers.container import Exit
from pipelines.local.containers.host import Host
from pipelines.local.containers.stop import Stop
from tests.local.containers.processes import Gate, is_gone, script, shell, wait_for

REPOSITORY = Path(__file__).parents[3]
PYTHON_JOB = """
    import os, signal, subprocess, sys
    from pathlib import Path
    child = subprocess.Popen(["sleep", "1000"])
    Path(sys.argv[1]).joinpath("pids").write_text(f"{os.getpid()} {child.pid}\\n")
    signal.pause()
"""
SHELL_JOB = """
    sleep 1000 &
    sh -c 'sleep 1000; true' &
    echo "$$ $!" > {folder}/pids
    wait
"""
PARENT = """
    import sys, threading
    from pathlib import Path
    from pipelines.local.containers.container import Container
    from pipelines.local.containers.host import Host
    from pipelines.local.containers.stop import Stop

    host = Host(isolate=sys.argv[2] == "True")
    for folder in (Path(sys.argv[1], "python"), Path(sys.argv[1], "shell")):
        program = ("python3", "/opt/ml/code/job.py") if folder.name == "python" else ("bash", "/opt/ml/code/job.sh")
        container = Container((*program, str(folder)), folder / "ml", folder / "log")
        threading.Thread(target=host.run, args=(container, Stop()), daemon=True).start()
    print(*sys.argv[3:], flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def temporary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, which is empty."""
    made = folder / "tmp"
    made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


def start_parent(folder: Path, *, isolate: bool) -> subprocess.Popen[str]:
    """Start a process that runs two jobs, each with children, until its input ends."""
    script(folder / "python", PYTHON_JOB)
    shell(folder / "shell", SHELL_JOB.format(folder=folder / "shell"))
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(folder), str(isolate)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=environment, stdout=subprocess.DEVNULL)


def pids(folder: Path) -> list[int]:
    """Wait until a job has children, and return their processes and its own."""
    file = folder / "pids"
    wait_for(lambda: file.exists() and file.read_text().endswith("\n"))
    return [int(pid) for pid in file.read_text().split()]


@pytest.mark.parametrize("isolate", [True, False])
@pytest.mark.parametrize("end", ["is killed", "exits", "is interrupted"])
def test_no_job_survives_its_session(folder: Path, end: str, isolate: bool) -> None:
    with start_parent(folder, isolate=isolate) as parent:
        running = [*pids(folder / "python"), *pids(folder / "shell")]
        assert not any(is_gone(pid) for pid in running)

        if end == "is killed":
            parent.kill()
        elif end == "is interrupted":
            parent.send_signal(signal.SIGINT)
        else:
            parent.communicate("\n", timeout=20)

        parent.wait(timeout=20)
        for pid in running:
            wait_for(lambda pid=pid: is_gone(pid))  # type: ignore[misc]


def test_a_server_that_dies_takes_its_jobs_along_and_the_next_job_gets_a_new_one(
    folder: Path, stop: Stop, temporary: Path
) -> None:
    host = Host()
    ends: list[Exit] = []
    container = script(folder / "one", PYTHON_JOB, str(folder))
    thread = threading.Thread(target=lambda: ends.append(host.run(container, stop)))
    thread.start()
    running = pids(folder)
    server = int(Path(f"/proc/{running[0]}/stat").read_text().rpartition(")")[2].split()[1])

    os.kill(server, signal.SIGKILL)
    thread.join()

    assert ends[0].code == -signal.SIGKILL
    assert ends[0].hint == "the server process of this machine's jobs ended (exit code -9)"
    for pid in running:
        wait_for(lambda pid=pid: is_gone(pid))  # type: ignore[misc]
    assert host.run(script(folder / "two", "pass"), stop).code == 0
    host.close()
    wait_for(lambda: not list(temporary.iterdir()))


def test_a_closed_host_leaves_no_job_and_no_file(folder: Path, stop: Stop, temporary: Path) -> None:
    host = Host()
    ends: list[Exit] = []
    container = script(folder / "one", PYTHON_JOB, str(folder))
    thread = threading.Thread(target=lambda: ends.append(host.run(container, stop)))
    thread.start()
    running = pids(folder)
    assert list(temporary.iterdir())

    host.close()
    thread.join()

    assert ends[0].code == -signal.SIGKILL
    for pid in running:
        wait_for(lambda pid=pid: is_gone(pid))  # type: ignore[misc]
    assert not list(temporary.iterdir())


def test_what_killed_servers_have_left_is_removed_by_the_next(folder: Path, stop: Stop, temporary: Path) -> None:
    for name in ("sagemaker-local-dead", "sagemaker-local-alive", "sagemaker-local-young", "of-another"):
        (temporary / name).mkdir()
        (temporary / name / "file").write_text("x")
        if not name.endswith("young"):
            os.utime(temporary / name, (0, 0))
    alive = os.open(temporary / "sagemaker-local-alive", os.O_RDONLY)
    fcntl.flock(alive, fcntl.LOCK_EX)

    with closing(Host()) as host:
        assert host.run(script(folder, "pass"), stop).code == 0

    os.close(alive)
    left = sorted(path.name for path in temporary.iterdir())
    assert left == ["of-another", "sagemaker-local-alive", "sagemaker-local-young"]


def test_a_server_holds_its_folder_as_long_as_it_lives(folder: Path, stop: Stop, temporary: Path) -> None:
    source = """
        import fcntl, os
        place = os.open(os.path.dirname(os.environ["TMPDIR"]), os.O_RDONLY)
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("held")
    """
    container = script(folder, source)

    with closing(Host()) as host:
        assert host.run(container, stop).code == 0
        (place,) = temporary.iterdir()
        wait_for(lambda: not (place / "1").is_symlink())

    assert container.log.read_text().splitlines()[0] == "held"


def test_a_stop_ends_the_whole_group(host: Host, folder: Path, stop: Stop) -> None:
    ends: list[Exit] = []
    container = shell(folder, "trap '' TERM\n" + SHELL_JOB.format(folder=folder))
    thread = threading.Thread(target=lambda: ends.append(host.run(container, stop)))
    thread.start()
    running = pids(folder)

    stop.set()
    thread.join()

    assert ends[0].ended == "stopped"
    for pid in running:
        wait_for(lambda pid=pid: is_gone(pid))  # type: ignore[misc]


def test_a_host_that_nobody_closed_ends_with_its_last_reference(folder: Path, stop: Stop) -> None:
    gate = Gate(folder / "ml")
    host = Host()
    source = f"import os; open({str(gate.path)!r}, 'w').write(str(os.getppid()))"
    container = script(folder, source)
    thread = threading.Thread(target=host.run, args=(container, stop))
    thread.start()
    server = int(gate.hear())
    thread.join()

    del thread, host

    wait_for(lambda: is_gone(server))
