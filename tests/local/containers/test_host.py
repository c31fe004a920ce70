"""How containers are started and how they end."""

import os
import re
import signal
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.local.containers.container import Exit
from pipelines.local.containers.host import Host
from pipelines.local.containers.stop import Stop
from tests.local.containers.processes import Gate, is_gone, script, shell, wait_for, write


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("pass", 0),
        ("import sys; sys.exit()", 0),
        ("import sys; sys.exit(7)", 7),
        ("import sys; sys.exit(256 + 3)", 3),
        ("import sys; sys.exit('a reason')", 1),
        ("raise ValueError('a reason')", 1),
        ("this is no Python", 1),
        ("import os; os._exit(9)", 9),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("raise KeyboardInterrupt", -signal.SIGINT),
    ],
)
def test_a_script_ends_as_it_does_in_python(host: Host, folder: Path, stop: Stop, source: str, code: int) -> None:
    ended = host.run(script(folder, source), stop)

    assert (ended.code, ended.ended) == (code, "exited")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("python3", "/opt/ml/code/missing.py"), 2, "can't open file"),
        (("no-such-program",), 127, "no-such-program: No such file or directory"),
        (("/opt/ml",), 126, "Permission denied"),
        (("bash", "-c", "echo from bash; exit 4"), 4, "from bash\n"),
        (("python3", "-c", "import sys; print(sys.argv[1:])", "x"), 0, "['x']\n"),
        (("python3", "-u", "/opt/ml/code/job.py", "y"), 0, "['y']\n"),
    ],
)
def test_any_command_can_be_an_entry_point(
    host: Host, folder: Path, stop: Stop, command: tuple[str, ...], code: int, said: str
) -> None:
    container = replace(script(folder, "import sys; print(sys.argv[1:])"), entrypoint=command)

    assert host.run(container, stop).code == code
    assert said in container.log.read_text()


def test_a_traceback_begins_in_the_script(host: Host, folder: Path, stop: Stop) -> None:
    container = script(folder, "def fail():\n    raise ValueError('a reason')\n\nfail()")

    host.run(container, stop)

    first, *lines = container.log.read_text().splitlines()
    assert first == "Traceback (most recent call last):"
    assert lines[0].endswith('code/job.py", line 4, in <module>')
    assert lines[-1] == "ValueError: a reason"
    assert len([line for line in lines if line.startswith("  File")]) == 2


def test_a_script_sees_its_arguments_variables_and_folder(host: Host, folder: Path, stop: Stop) -> None:
    source = """
        import os, sys
        print(sys.argv, os.environ["GIVEN"], os.getcwd(), os.path.exists(sys.argv[1]), __name__, __file__, sys.path[0])
    """
    container = replace(
        script(folder, source, "/opt/ml/code", "two words"), environment={"GIVEN": "1"}, working_folder="/opt/ml/code"
    )

    assert host.run(container, stop).code == 0

    printed = container.log.read_text().replace(str(folder / "ml"), "/opt/ml")
    here = "/opt/ml/code"
    assert printed == f"['{here}/job.py', '{here}', 'two words'] 1 {here} True __main__ {here}/job.py {here}\n"


@pytest.mark.parametrize("isolate", [True, False])
def test_nothing_of_this_process_leaks_into_a_container(
    folder: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch, isolate: bool
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-tell")
    source = "import os, pathlib; print(dict(os.environ), pathlib.Path('/proc/self/environ').read_bytes())"
    container = script(folder, f"{source}\nprint('pipelines' in __import__('sys').modules)")
    host = Host(isolate=isolate)

    assert host.run(container, stop).code == 0
    host.close()

    printed = container.log.read_text()
    assert "do-not-tell" not in printed
    assert printed.endswith("False\n")


def test_temporary_files_and_home_are_removed_with_the_container(host: Host, folder: Path, stop: Stop) -> None:
    source = """
        import os, pathlib, tempfile
        locked = pathlib.Path(tempfile.mkdtemp()) / "locked"
        locked.mkdir()
        (locked / "file").write_text("x")
        locked.chmod(0o500)
        (pathlib.Path.home() / ".cache").write_text("x")
        print(locked)
    """
    container = script(folder, source)

    assert host.run(container, stop).code == 0

    assert re.fullmatch(r"/\S+/sagemaker-local-\w{8}/\d+/tmp\w+/locked\n", container.log.read_text())
    assert sorted(path.name for path in folder.iterdir()) == ["log", "ml"]


def test_a_container_has_short_paths_for_sockets_on_its_own_disk(host: Host, folder: Path, stop: Stop) -> None:
    deep = folder / "/".join(["a-long-name-of-a-job"] * 5)
    source = """
        import multiprocessing, os, pathlib, tempfile
        if __name__ == "__main__":
            multiprocessing.set_start_method("forkserver")
            with multiprocessing.Manager() as manager:
                print(list(manager.list([1])))
            print(os.path.realpath(tempfile.gettempdir()) == os.path.realpath(pathlib.Path.home()))
    """
    container = script(deep, source)

    assert host.run(container, stop).code == 0
    assert container.log.read_text() == "[1]\nTrue\n"


def test_many_containers_run_at_once_and_each_has_its_own_end(host: Host, folder: Path, stop: Stop) -> None:
    containers = [script(folder / str(index), f"import sys; sys.exit({index})") for index in range(16)]

    with ThreadPoolExecutor(16) as pool:
        ended = list(pool.map(lambda container: host.run(container, stop), containers))

    assert [item.code for item in ended] == list(range(16))


def test_a_container_that_runs_too_long_is_ended(host: Host, folder: Path, stop: Stop) -> None:
    container = script(folder, "import signal; signal.pause()")

    ended = host.run(replace(container, time_limit=0.2), stop)

    assert (ended.code, ended.ended) == (-signal.SIGTERM, "timed out")
    assert 0.2 <= ended.seconds < 10


def test_a_container_that_ignores_the_request_to_end_is_killed(host: Host, folder: Path, stop: Stop) -> None:
    source = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()"

    ended = host.run(replace(script(folder, source), time_limit=0.5), stop)

    assert (ended.code, ended.ended) == (-signal.SIGKILL, "timed out")


def test_a_container_may_use_its_last_moments(host: Host, folder: Path, stop: Stop) -> None:
    gate = Gate(folder / "ml")
    source = f"""
        import signal, sys
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("saved"))
        open({str(gate.path)!r}, "w").write("ready")
        while True: signal.pause()
    """
    ends: list[Exit] = []
    container = script(folder, source)
    thread = threading.Thread(target=lambda: ends.append(host.run(container, stop)))
    thread.start()
    gate.hear()

    stop.set()
    thread.join()

    assert (ends[0].code, ends[0].ended) == (1, "stopped")
    assert container.log.read_text() == "saved\n"


def test_a_container_is_not_started_after_a_stop(host: Host, folder: Path, stop: Stop) -> None:
    stop.set()

    ended = host.run(script(folder, "print(1)"), stop)

    assert ended.ended == "stopped"
    assert not (folder / "log").exists()


CHILD = "sleep 1000 & echo $! > {pid}"
DAEMON = "setsid sleep 1000 & echo $! > {pid}"


@pytest.mark.parametrize("command", [CHILD, f"({CHILD})", f"({DAEMON})"])
def test_what_a_container_leaves_running_is_killed(host: Host, folder: Path, stop: Stop, command: str) -> None:
    container = shell(folder, command.format(pid=folder / "pid"))

    assert host.run(container, stop).code == 0

    wait_for(lambda: is_gone(int((folder / "pid").read_text())))


def test_a_daemon_is_killed_with_its_container_while_others_run(isolating_host: Host, folder: Path, stop: Stop) -> None:
    ready, gate = Gate(folder / "other" / "ml", "ready"), Gate(folder / "other" / "ml")
    other = shell(
        folder / "other", f"{DAEMON.format(pid=folder / 'kept')}\necho > {ready.path}\nread _ < {gate.path}\nkill -0 $!"
    )
    ends: list[Exit] = []
    thread = threading.Thread(target=lambda: ends.append(isolating_host.run(other, stop)))
    thread.start()
    ready.hear()

    isolating_host.run(shell(folder / "one", f"({DAEMON.format(pid=folder / 'pid')})"), stop)

    wait_for(lambda: is_gone(int((folder / "pid").read_text())))
    assert not is_gone(int((folder / "kept").read_text()))
    gate.open()
    thread.join()
    assert ends[0].code == 0
    wait_for(lambda: is_gone(int((folder / "kept").read_text())))


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("import os; os.write(1, b'\\xff\\xfe caf\\xe9\\n')", b"\xff\xfe caf\xe9\n"),
        ("print('x' * 20_000_000)", b"x" * 20_000_000 + b"\n"),
        ("pass", b""),
        ("import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c', end='')", b"a\nb\nc"),
        ("print('\\u20ac')", "€\n".encode()),
    ],
    ids=["not UTF-8", "huge", "none", "two streams", "no ASCII"],
)
def test_all_output_is_in_the_log(host: Host, folder: Path, stop: Stop, source: str, printed: bytes) -> None:
    container = script(folder, source)

    assert host.run(container, stop).code == 0

    assert container.log.read_bytes() == printed


def test_the_next_container_of_one_log_adds_to_it(host: Host, folder: Path, stop: Stop) -> None:
    for text in ("one", "two"):
        host.run(script(folder, f"print({text!r})"), stop)

    assert (folder / "log").read_text() == "one\ntwo\n"


def test_containers_held_to_one_cpu_get_different_ones(host: Host, folder: Path, stop: Stop) -> None:
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two CPUs that can be chosen from")
    gates = [Gate(folder / str(index) / "ml") for index in range(2)]
    source = "import os, sys\nprint(*os.sched_getaffinity(0), flush=True)\nopen(sys.argv[1]).read()"
    containers = [replace(script(folder / str(index), source, gate.inside), cpus=1) for index, gate in enumerate(gates)]

    with ThreadPoolExecutor() as pool:
        ends = [pool.submit(host.run, container, stop) for container in containers]
        for container in containers:
            wait_for(lambda log=container.log: log.exists() and log.read_text().endswith("\n"))  # type: ignore[misc]
        for gate in gates:
            gate.open()

    assert [end.result().code for end in ends] == [0, 0]
    chosen = [container.log.read_text().split() for container in containers]
    assert [len(cpus) for cpus in chosen] == [1, 1]
    assert chosen[0] != chosen[1]


def test_a_closed_host_starts_again(folder: Path, stop: Stop) -> None:
    host = Host()
    for _ in range(2):
        assert host.run(script(folder, "pass"), stop).code == 0
        host.close()


def test_pip_checks_requirements_and_installs_nothing(host: Host, folder: Path, stop: Stop) -> None:
    write(folder, "pandas>=1\nno-such-package-at-all==3 # comment\n", "requirements.txt")
    container = shell(folder, "pip3 install pandas && python3 -m pip install -r $CODE/requirements.txt")

    ended = host.run(replace(container, environment={"CODE": "/opt/ml/code"}), stop)

    assert ended.code == 1
    satisfied, missing = container.log.read_text().splitlines()
    assert satisfied == "Requirements already satisfied"
    assert missing.startswith("'no-such-package-at-all==3' is not installed. Jobs install nothing on this machine")


def test_a_shell_script_finds_python_where_paths_have_spaces(
    folder: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs, temporary = folder / "my venv" / "bin", folder / "my files"
    for made in (programs, temporary):
        made.mkdir(parents=True)
    for name in ("python", "python3"):
        (programs / name).symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(programs / "python3"))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    # As the SDK's own entry point calls it.
    container = shell(folder, "SM_PYTHON_CMD=$(command -v python3)\n$SM_PYTHON_CMD -c 'print(6 * 7)'")

    host = Host()
    ended = host.run(container, stop)
    host.close()

    assert (ended.code, container.log.read_text()) == (0, "42\n")
