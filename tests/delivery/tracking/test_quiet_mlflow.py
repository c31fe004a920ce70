"""MLflow tells nobody anything and prints nothing; who records nothing does not even load it."""

import subprocess
import sys
from pathlib import Path

from tests.local.server.conftest import plain_environment

# MLflow keeps silent in tests and CI by itself, so these must not be known as such.
TELLING = (
    "PYTEST_",
    "MLFLOW_",
    "DO_NOT_TRACK",
    "CI",
    "GITHUB_",
    "GITLAB_",
    "CODEBUILD_",
    "JENKINS_",
    "TRAVIS",
    "TF_BUILD",
    "TEAMCITY_",
    "BITBUCKET_",
    "BUILDKITE",
    "RUNBOT_",
    "CLOUD_RUN_",
)
# The network is refused, so that nothing is told in this test either; whoever asks for it is written down.
WATCHED = """
import sys, threading

def watch(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect"):
        print("ASKED", event, arguments[-1] if event == "socket.connect" else arguments[0], flush=True)
        raise OSError("no network here")

sys.addaudithook(watch)
"""
RECORD = """
from pathlib import Path
from pipelines.delivery.tracking import local_tracking, opening
if sys.argv[2:]:
    opening.NO_TELEMETRY.clear()
from tests.delivery.tracking.test_store import write
write(local_tracking(Path(sys.argv[1])))
for thread in threading.enumerate():
    if thread is not threading.main_thread() and "elemetry" in thread.name:
        thread.join(10)
"""


def python(program: str, home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a program as a person's own, outside of any test."""
    environment = {name: value for name, value in plain_environment().items() if not name.startswith(TELLING)}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=home,
        env={**environment, "HOME": str(home), "PYTHONPATH": str(Path.cwd())},
        check=False,
        capture_output=True,
        text=True,
    )


def test_who_records_tells_nobody_and_leaves_nothing_at_home(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    home.mkdir()
    root.mkdir()
    done = python(WATCHED + RECORD, home, str(root))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(home.iterdir()) == []


def test_mlflow_left_to_itself_does_tell(tmp_path: Path) -> None:
    done = python(WATCHED + RECORD, tmp_path, str(tmp_path), "telling")
    assert (done.returncode, "ASKED" in done.stdout) == (0, True)


def test_who_records_nothing_does_not_load_it(tmp_path: Path) -> None:
    program = "import sys, pipelines.run_pipeline, pipelines.sagemaker_local, pipelines.delivery.tracking"
    done = python(f"{program}; print(sorted({{'mlflow', 'sqlalchemy'}} & set(sys.modules)))", tmp_path)
    assert (done.stdout, done.stderr) == ("[]\n", "")
