"""`sagemaker-local experiments` as a person types it, and what can be done at its port."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from pipelines import sagemaker_local
from pipelines.delivery.tracking import Tracking, local_tracking
from pipelines.delivery.tracking.places import DATABASE, VARIABLE
from tests.delivery.tracking.conftest import ODD_NAME, empty_database
from tests.delivery.tracking.experiments import Experiments
from tests.delivery.tracking.test_store import EXECUTION, write
from tests.local.server.conftest import LIMIT_SECONDS, plain_environment

__all__ = ["empty_database"]

ARN = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/team"


class Page:
    """The command's process and its port."""

    def __init__(self, root: Path) -> None:
        command = [sys.executable, "-m", "pipelines.sagemaker_local", "experiments", "--port", "0", "--local-root"]
        self.process = subprocess.Popen(
            [*command, str(root)],
            env=plain_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)\n", line)
        assert match, line or self.process.communicate()
        self.port = int(match[1])

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_SECONDS)
        text = None if body is None else json.dumps(body)
        kind = {"Content-Type": "application/json"} if text else {}
        connection.request(method, path, text, kind | headers)
        answer = connection.getresponse()
        said = answer.status, answer.read().decode()
        connection.close()
        return said


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A root folder with an execution that was recorded."""
    folder = tmp_path_factory.mktemp("page") / ODD_NAME
    folder.mkdir()
    shutil.copy(empty_database, folder / DATABASE)
    write(local_tracking(folder))
    return folder


@pytest.fixture(scope="module")
def page(root: Path) -> Iterator[Page]:
    started = Page(root)
    yield started
    started.process.kill()
    started.process.communicate()


def test_the_page_shows_what_was_recorded(page: Page, root: Path) -> None:
    status, text = page.ask("GET", "/")
    assert (status, "<title>MLflow</title>" in text, text.endswith("</html>")) == (200, True, True)
    status, text = page.ask("POST", "/ajax-api/2.0/mlflow/experiments/search", {"max_results": 10})
    assert (status, {each["name"] for each in json.loads(text)["experiments"]}) == (200, {"fraud", "Default"})
    run = Experiments(local_tracking(root)).run("fraud", "abc").info.run_id
    assert page.ask("GET", f"/get-artifact?path=report.html&run_uuid={run}") == (200, "<p>ü")


def test_nothing_is_told_to_mlflow_and_no_assistant_is_asked(page: Page) -> None:
    _, text = page.ask("GET", "/ajax-api/3.0/mlflow/ui-telemetry")
    assert json.loads(text)["disable_ui_telemetry"] is True
    assert page.ask("GET", "/ajax-api/3.0/mlflow/assistant/config") == (403, "there is no assistant here\n")


@pytest.mark.parametrize("path", ["/", "/health", "/ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name=fraud"])
def test_another_host_and_a_page_of_another_server_are_refused(page: Page, path: str) -> None:
    assert page.ask("GET", path, Host="rebound.example")[0] == 403
    assert page.ask("GET", path, Host=f"127.0.0.1:{page.port + 1}")[0] == 403
    assert page.ask("GET", path, Origin="http://rebound.example")[0] == 403
    assert page.ask("GET", path, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert page.ask("GET", path, Host=f"localhost:{page.port}")[0] == 200


def test_a_page_of_another_server_changes_nothing(page: Page, root: Path) -> None:
    create = "/ajax-api/2.0/mlflow/experiments/create"
    for origin in ("http://rebound.example", "null", f"http://127.0.0.1:{page.port + 1}"):
        assert page.ask("POST", create, {"name": "forged"}, Origin=origin)[0] == 403
    assert Experiments(local_tracking(root)).names() == {"fraud"}


def test_it_is_one_process(page: Page) -> None:
    children = Path(f"/proc/{page.process.pid}/task/{page.process.pid}/children")
    if not children.exists():
        pytest.skip("the children of a process are listed by Linux only")
    assert children.read_text() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_even_while_a_browser_is_connected(root: Path, number: signal.Signals) -> None:
    page = Page(root)
    browser = HTTPConnection("127.0.0.1", page.port, timeout=LIMIT_SECONDS)
    browser.request("GET", "/")
    browser.getresponse().read()
    page.process.send_signal(number)
    output, error = page.process.communicate(timeout=LIMIT_SECONDS)
    browser.close()
    assert (page.process.returncode, output, error) == (0, "", "")


def test_a_managed_server_is_told_the_same_under_its_arn(
    page: Page, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SageMaker's own plugin, with signed requests; only its address is another.
    monkeypatch.setenv("SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT", f"http://127.0.0.1:{page.port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv(VARIABLE, raising=False)
    managed = Tracking(ARN)
    assert write(managed, experiment="managed") == write(managed, experiment="managed")
    found = Experiments(local_tracking(root))
    assert found.children("managed", "abc") == ["Train", "Tune"]
    assert found.files(found.run("managed", "abc")) == EXECUTION.files
    assert VARIABLE not in os.environ


def test_a_port_that_is_taken_is_said(page: Page, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["experiments", "--local-root", str(root), "--port", str(page.port)]
    assert sagemaker_local.main(arguments) == 1
    assert f"cannot serve port {page.port} of 127.0.0.1" in capsys.readouterr().err


@pytest.mark.parametrize("spoil", ["update alembic_version set version_num = 'ffff'", "drop table alembic_version"])
def test_what_this_mlflow_cannot_read_is_said_at_the_start(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: str
) -> None:
    path = shutil.copy(root / DATABASE, tmp_path / DATABASE)
    with sqlite3.connect(path) as database:
        database.execute(spoil)
    assert sagemaker_local.main(["experiments", "--local-root", str(tmp_path), "--port", "0"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"sagemaker-local: error: MLflow's store {path}: it is not of MLflow ")
    assert (said.out, said.err.count("\n"), said.err.endswith(", or move it away\n")) == ("", 1, True)


def test_where_nothing_was_recorded_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sagemaker_local.main(["experiments", "--local-root", str(tmp_path / "none"), "--port", "0"]) == 2
    assert capsys.readouterr().err == (
        f"sagemaker-local: error: there are no experiments in {tmp_path / 'none'}: "
        "record a run with run-pipeline --local --track first, "
        "or run 2.1 or 5.1 of the workshop and give its folder with --local-root\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_folder_without_experiments_is_named_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sagemaker_local.main(["experiments", "--port", "0"]) == 2
    assert f"there are no experiments in {tmp_path / '.sagemaker-local'}: " in capsys.readouterr().err
