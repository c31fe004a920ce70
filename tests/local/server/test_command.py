"""`sagemaker-local serve` as a person types it."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipelines.local.session import session as local_session
from tests.local.documents import ROLE, definition, shell
from tests.local.server.conftest import LIMIT_SECONDS, Wire, plain_environment

COMMAND = [sys.executable, "-m", "pipelines.sagemaker_local"]
LINE = re.compile(
    r"export AWS_ENDPOINT_URL=http://127\.0\.0\.1:(\d+) AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local "
    r"AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1\n"
)
Serve = Callable[..., tuple["subprocess.Popen[str]", int]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that starts the command, and returns its process and its port."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> tuple["subprocess.Popen[str]", int]:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--local-root", str(tmp_path / "root"), *(arguments or ("--port", "0"))],
            cwd=tmp_path,
            env=plain_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        match = LINE.fullmatch(line)
        assert match, line or process.communicate()
        return process, int(match[1])

    yield start
    for process in started:
        process.kill()
        process.communicate()


def client(port: int) -> Any:
    """Return a SageMaker client of a port."""
    made: Any = boto3.client(
        "sagemaker",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    return made


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_and_its_executions(serve: Serve, tmp_path: Path, number: signal.Signals) -> None:
    process, port = serve()
    sagemaker = client(port)
    text = definition(shell("Slow", "sleep 3143"))
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=text, RoleArn=ROLE)
    arn = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    with Wire(port):  # An idle client does not keep it.
        process.send_signal(number)
        output, error = process.communicate(timeout=LIMIT_SECONDS)
    assert (process.returncode, output, error) == (0, "", "")
    opened = local_session(tmp_path / "root")
    described = opened.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["PipelineExecutionStatus"] == "Stopped"
    opened.close()


def test_the_port_that_is_asked_for_can_be_had_again_at_once(serve: Serve) -> None:
    process, port = serve()
    with Wire(port) as wire:
        assert wire.ask("GET /").status == 200
        process.terminate()
        process.communicate(timeout=LIMIT_SECONDS)
    _, again = serve("--port", str(port))
    assert again == port


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )


def test_a_port_in_use_is_one_line(serve: Serve, tmp_path: Path) -> None:
    _, port = serve()
    done = run(tmp_path, "serve", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"sagemaker-local: error: cannot serve port {port} of 127.0.0.1: Address already in use; "
        "choose another port, or 0 for a free one\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "COMMAND"),
        (["fly"], 2, "invalid choice: 'fly'"),
        (["serve", "--port", "x"], 2, "expected a number from 0 to 65535, not 'x'"),
        (["serve", "--port", "65536"], 2, "expected a number from 0 to 65535"),
        (["serve", "--port", "-1"], 2, "--port"),
        (["serve", "--verbos"], 2, "--verbos"),
        (["serve", "--local-root", "file"], 1, "choose another root folder"),
        (["serve", "--local-root", "file/root"], 1, "choose another root folder"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    (tmp_path / "file").write_text("mine")
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert done.stderr.startswith("sagemaker-local")
    assert words in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_root_that_was_begun_anew_is_refused_by_a_server_of_the_old_one(serve: Serve, tmp_path: Path) -> None:
    process, port = serve()
    assert client(port).list_pipelines()["PipelineSummaries"] == []
    shutil.rmtree(tmp_path / "root")
    with local_session(tmp_path / "root") as session:
        with pytest.raises(ClientError, match=r"state\.sqlite was deleted, moved or replaced") as raised:
            client(port).create_model_package_group(ModelPackageGroupName="lost")
        assert raised.value.response["Error"]["Code"] == "StateLost"
        assert session.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=LIMIT_SECONDS) == ("", "")
    assert process.returncode == 0
