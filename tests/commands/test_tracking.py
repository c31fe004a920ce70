"""`run-pipeline --track` as a person types it, in a folder of its own."""

import json
import re
import shutil
from pathlib import Path

import pytest

from pipelines.delivery.tracking.places import DATABASE, VARIABLE, local_tracking
from tests.commands.test_following import ARN, ROLE, Command, command
from tests.delivery.tracking.conftest import empty_database, unused_port
from tests.delivery.tracking.experiments import Experiments

__all__ = ["command", "empty_database", "unused_port"]

SERVER = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/team"
RECORDED = re.compile(r"^recorded: run ([0-9a-f]{32}) of the experiment gate$", re.MULTILINE)


@pytest.fixture
def tracked(command: Command, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in a folder whose local root has an empty store of experiments."""
    monkeypatch.delenv(VARIABLE, raising=False)
    root = command.folder / ".sagemaker-local"
    root.mkdir()
    shutil.copy(empty_database, root / DATABASE)
    return command


def experiments(command: Command) -> Experiments:
    return Experiments(local_tracking(command.folder / ".sagemaker-local"))


def recorded(output: str) -> str:
    match = RECORDED.search(output)
    assert match, output
    return match[1]


def test_a_run_is_recorded_beside_the_state_of_its_root(tracked: Command) -> None:
    done = tracked.run("--track")
    assert (done.code, done.error) == (0, "")
    (run,) = experiments(tracked).runs("gate")
    (arn,) = tracked.executions()
    assert run.info.run_id == recorded(done.output)
    assert (run.data.tags["sagemaker.arn"], run.data.tags["verdict"]) == (arn, "registered")


def test_a_run_that_is_followed_later_is_the_same_run(tracked: Command) -> None:
    first = tracked.run("--track", "--parameter", "Level=2")
    (arn,) = tracked.executions()
    again = tracked.call("--local", "--follow", arn, "--track")
    assert (first.code, again.code) == (3, 3)
    assert recorded(first.output) == recorded(again.output)
    (run,) = experiments(tracked).runs("gate")
    assert (run.data.tags["verdict"], run.data.params["Level"]) == ("rejected", "2")


def test_a_run_of_before_is_recorded_when_it_is_followed(tracked: Command) -> None:
    tracked.run()
    assert experiments(tracked).names() == set()
    (arn,) = tracked.executions()
    recorded(tracked.call("--local", "--follow", arn, "--track").output)
    assert experiments(tracked).names() == {"gate"}


@pytest.mark.parametrize("level", [1, 2])
def test_a_store_that_cannot_be_reached_is_one_line_and_no_other_verdict(
    tracked: Command, unused_port: int, level: int
) -> None:
    plain = tracked.run("--parameter", f"Level={level}")
    uri = f"http://127.0.0.1:{unused_port}"
    done = tracked.run("--parameter", f"Level={level}", "--json", "outcome.json", "--track", uri)
    assert done.code == plain.code
    assert done.error.startswith(f"run-pipeline: the run is not recorded: MLflow's store {uri}: ")
    assert done.error.count("\n") == 1
    arn = tracked.executions()[0]
    assert done.error.endswith(f" --local --follow {arn} --track {uri}\n")
    assert json.loads((tracked.folder / "outcome.json").read_text())["exit_code"] == done.code
    assert "recorded:" not in done.output


def test_the_environment_names_the_store_too(
    tracked: Command, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{unused_port}")
    done = tracked.run("--track")
    assert (done.code, "is not recorded" in done.error) == (0, True)


def test_a_password_in_the_stores_address_is_printed_nowhere(tracked: Command, unused_port: int) -> None:
    done = tracked.run("--track", f"http://user:secretpw@127.0.0.1:{unused_port}/x")
    assert (done.code, done.error.count("\n")) == (0, 1)
    assert done.error.endswith(f" --track http://127.0.0.1:{unused_port}/x\n")
    assert "secretpw" not in done.output + done.error


def test_a_spoilt_store_is_left_as_it_is(tracked: Command) -> None:
    path = tracked.folder / ".sagemaker-local" / DATABASE
    path.write_text("spoilt" * 1_000)
    done = tracked.run("--track")
    assert (done.code, done.error.count("\n")) == (0, 1)
    (arn,) = tracked.executions()
    assert re.search(f": file is not a database: move it away. Next: .* --local --follow {arn} --track\n$", done.error)
    assert path.read_text() == "spoilt" * 1_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--role-arn", ROLE, "--track"], "--track needs a URI in AWS"),
        (["--role-arn", ROLE, "--track", "sqlite:///x.db"], "--track sqlite:///x.db is no place for experiments"),
        (["--local", "--track", "http://[::1"], "--track http://[::1 is no place for experiments"),
        (["--local", "--track", "http://h:99999"], "--track http://h:99999 is no place for experiments"),
        (["--local", "--track", ""], "argument --track: the value is empty"),
        (["--role-arn", ROLE, "--track", SERVER, "--no-wait"], "leave out --no-wait or --track"),
        (["--follow", ARN, "--track"], "--track needs a URI in AWS"),
    ],
)
def test_a_store_that_makes_no_sense_is_refused_before_anything_starts(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    definition = [] if "--follow" in arguments else ["--definition", "gate.json"]
    done = command.call(*definition, *arguments)
    assert done.code == 2
    assert message in done.error
    assert [path.name for path in command.folder.iterdir()] == ["gate.json"]
