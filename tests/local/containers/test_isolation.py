"""Each container's own /opt/ml, and what happens where there is none."""

import os
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.local.containers import isolation
from pipelines.local.containers.host import Host
from pipelines.local.containers.stop import Stop
from tests.local.containers.processes import Gate, script, shell, wait_for, write

HARD_CODED = "open('/opt/ml/model/weights', 'w').write('1'); print(open('/opt/ml/code/job.py').read()[:4])"


def test_hard_coded_paths_work_in_scripts(isolating_host: Host, folder: Path, stop: Stop) -> None:
    (folder / "ml" / "model").mkdir(parents=True)
    container = script(folder, HARD_CODED)

    ended = isolating_host.run(container, stop)

    assert (ended.code, ended.hint) == (0, None)
    assert container.log.read_text() == "open\n"
    assert (folder / "ml" / "model" / "weights").read_text() == "1"


def test_hard_coded_paths_work_in_commands_and_their_children(isolating_host: Host, folder: Path, stop: Stop) -> None:
    write(folder, "print(open('/opt/ml/given').read())", "child.py")
    container = shell(folder, "set -e\necho from-shell > /opt/ml/given\npython3 /opt/ml/code/child.py")

    assert isolating_host.run(container, stop).code == 0
    assert container.log.read_text() == "from-shell\n\n"


def test_opt_itself_stays_as_it_is(isolating_host: Host, folder: Path, stop: Stop) -> None:
    before = sorted(path.name for path in Path("/opt").iterdir())
    container = script(folder, "import os; print(*sorted(os.listdir('/opt')))")

    isolating_host.run(container, stop)

    assert container.log.read_text().split() == sorted({*before, "ml"})
    assert sorted(path.name for path in Path("/opt").iterdir()) == before


def test_containers_at_once_see_their_own_trees(isolating_host: Host, folder: Path, stop: Stop) -> None:
    gates = [Gate(folder / str(index) / "ml") for index in range(4)]
    source = """
        import sys
        open("/opt/ml/mine", "w").write(sys.argv[1])
        open("/opt/ml/gate").read()
        print(open("/opt/ml/mine").read())
    """
    containers = [script(folder / str(index), source, str(index)) for index in range(4)]

    with ThreadPoolExecutor() as pool:
        ends = [pool.submit(isolating_host.run, container, stop) for container in containers]
        for container in containers:
            wait_for((container.tree / "mine").exists)
        for gate in gates:
            gate.open()

    assert [end.result().code for end in ends] == [0] * 4
    assert [container.log.read_text() for container in containers] == [f"{index}\n" for index in range(4)]


@pytest.mark.parametrize("touch", ["open(P)", "open(P, 'w')", "os.mkdir(P)", "os.listdir(P)", "os.rename(O, P)"])
def test_without_namespaces_a_hard_coded_path_says_so(plain_host: Host, folder: Path, stop: Stop, touch: str) -> None:
    container = script(folder, f"import os\nO = '/tmp/none'; P = '/opt/ml/x'\n{touch}")

    ended = plain_host.run(container, stop)

    assert ended.code == 1
    assert ended.hint is not None
    assert "no mount namespaces" in ended.hint
    last = container.log.read_text().splitlines()[-1]
    assert last == (
        "FileNotFoundError: [Errno 2] this machine has no mount namespaces; take the path from SM_* variables or "
        "arguments: '/opt/ml/x'"
    )
    assert not Path("/opt/ml").exists()


def test_without_namespaces_the_hint_covers_commands(plain_host: Host, folder: Path, stop: Stop) -> None:
    assert plain_host.run(shell(folder, "cat /opt/ml/given"), stop).hint is not None
    assert plain_host.run(shell(folder / "other", "exit 1"), stop).hint is None


def test_without_namespaces_paths_in_arguments_and_variables_are_mapped(
    plain_host: Host, folder: Path, stop: Stop
) -> None:
    source = "import os, sys; print(sys.argv[1:], os.environ['SM_ENV'])"
    arguments = ("/opt/ml", "--data=/opt/ml/input", "/opt/mlflow", "s3://bucket/opt/ml/x", "/opt/ml.bak")
    container = script(folder, source, *arguments)

    plain_host.run(replace(container, environment={"SM_ENV": '{"model_dir":"/opt/ml/model"}'}), stop)

    tree = folder / "ml"
    expected = [str(tree), f"--data={tree}/input", *arguments[2:]]
    assert container.log.read_text() == f'{expected} {{"model_dir":"{tree}/model"}}\n'


PROGRAM = """
    import sys
    from pathlib import Path
    from pipelines.local.containers.container import Container
    from pipelines.local.containers.host import Host
    from pipelines.local.containers.stop import Stop

    folder = Path(sys.argv[1])
    (folder / "ml").mkdir(parents=True)
    (folder / "ml" / "job.py").write_text(sys.argv[2])
    host = Host()
    ended = host.run(Container(("python3", "/opt/ml/job.py"), folder / "ml", folder / "log"), Stop())
    host.close()
    print((folder / "log").read_text(), end="")
    sys.exit(ended.code)
"""


def run_elsewhere(prefix: list[str], folder: Path, job: str) -> str:
    """Run a script in a host whose own process is started by another command; return what it printed."""
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs unshare(1) and user namespaces")
    command = [*prefix, sys.executable, "-c", textwrap.dedent(PROGRAM), str(folder), job]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_a_user_without_privileges_gets_namespaces_too(folder: Path) -> None:
    job = "import os; print(os.geteuid(), os.path.samefile('/opt/ml/job.py', __file__), __file__)"

    printed = run_elsewhere(["unshare", "--user", "--map-user=1000", "--map-group=1000"], folder / "x", job)

    assert printed == "1000 True /opt/ml/job.py\n"


def test_links_and_files_in_opt_are_there_in_a_container(folder: Path) -> None:
    """Python itself may be under /opt, and reached through a link."""
    (folder / "opt" / "tool-1.2").mkdir(parents=True)
    (folder / "opt" / "tool-1.2" / "file").write_text("content")
    (folder / "opt" / "tool").symlink_to("tool-1.2")
    (folder / "opt" / "note").write_text("a note")
    (folder / "opt" / "broken").symlink_to("/no/such")
    job = "import os; print(*sorted(os.listdir('/opt')), open('/opt/tool/file').read(), open('/opt/note').read())"
    bind = f'mount --bind "{folder / "opt"}" /opt && exec "$@"'

    printed = run_elsewhere(["unshare", "-Urm", "bash", "-c", bind, "bash"], folder / "x", job)

    assert printed == "broken ml note tool tool-1.2 content a note\n"
    assert not (folder / "opt" / "ml").exists()


def test_a_root_folder_below_opt_works(folder: Path) -> None:
    job = "import os; print(open('/opt/ml/job.py').read()[:6], os.listdir('/opt'))"
    bind = 'mount -t tmpfs none /opt && exec "$@"'

    printed = run_elsewhere(["unshare", "-Urm", "bash", "-c", bind, "bash"], Path("/opt/work/x"), job)

    assert printed.startswith("import [")


def test_a_machine_without_opt_is_told_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "OPT", folder / "none")

    with pytest.raises(OSError, match="No such file"):
        next(isolation.OPT.iterdir())


def test_a_system_without_the_call_is_told_apart() -> None:
    with pytest.raises(OSError, match="this system has no no_such_call"):
        isolation.call("no_such_call")
