"""Models that cannot be served: one line says why, and nothing is left behind."""

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.local.serving.model_server import ModelServer, ServingError
from pipelines.local.store import Store
from tests.local.containers.processes import wait_for
from tests.local.serving.served import BUCKET, CALCULATOR, SCRIPT, SKLEARN, Serve

BROKEN = {
    "raises": (
        "def model_fn(model_dir):\n    raise RuntimeError('the weights\\nare missing')",
        "ended with exit code 1 before it answered /ping: are missing",
    ),
    "is no Python": (
        "def model_fn(",
        "ended with exit code 1 before it answered /ping: SyntaxError: '(' was never closed",
    ),
    "imports what is not there": ("import nothing_such", "ModuleNotFoundError: No module named 'nothing_such'"),
    "exits": ("import sys\nsys.exit(3)", "its container ended with exit code 3 before it answered /ping"),
    "exits without an error": (
        "import sys\nsys.exit()",
        "its container ended with exit code 0 before it answered /ping",
    ),
    "says why it exits": (
        "import sys\nsys.exit('no licence')",
        "ended with exit code 1 before it answered /ping: no licence",
    ),
    "kills itself": (
        "import os\nos.kill(os.getpid(), 9)",
        "its container was killed by SIGKILL before it answered /ping",
    ),
    "has no model_fn": (
        "",
        "AttributeError: inference.py has no model_fn(model_dir); write one that returns the model",
    ),
    "has too many functions": (
        "def model_fn(d): ...\ndef transform_fn(m, d, c, a): ...\ndef input_fn(d, c): ...",
        "ValueError: inference.py has transform_fn and input_fn; write either the one or the others",
    ),
}


@pytest.fixture(autouse=True)
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which servers make that of their sockets."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def failure_of(serve: Serve, server: ModelServer, limit: float = 60.0) -> str:
    """Start a server that fails, look at what is left, and return why."""
    with pytest.raises(ServingError, match=r"^Model 'fraud' cannot be served: ") as caught:
        server.start(limit)
    assert not server.is_alive()
    assert not server.socket.parent.exists()
    assert serve.left() == []
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_program_s_last_line_is_the_reason(serve: Serve, name: str) -> None:
    program, reason = BROKEN[name]
    assert reason in failure_of(serve, serve.make(serve.archive({"code/inference.py": program})))


def test_the_log_of_an_earlier_start_is_no_reason(serve: Serve) -> None:
    serve.log.write_text("the error of last week\n")
    data = serve.archive({"code/inference.py": "import sys\nsys.exit(3)"})
    assert failure_of(serve, serve.make(data)).endswith("ended with exit code 3 before it answered /ping")


def test_a_model_that_takes_too_long_is_ended(serve: Serve) -> None:
    waits = "import signal\nprint('loading', flush=True)\nsignal.pause()"
    message = failure_of(serve, serve.make(serve.archive({"code/inference.py": waits})), limit=1.0)
    assert message.endswith("it did not answer /ping within 1 s: loading")


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        (
            {**SCRIPT, "SAGEMAKER_PROGRAM": "serve.py"},
            "sagemaker_program 'serve.py' is not in /opt/ml/model/code, which has: inference.py",
        ),
        ({**SCRIPT, "SAGEMAKER_SUBMIT_DIRECTORY": "/srv/code"}, "'/srv/code' is neither an S3 URI nor below /opt/ml/"),
        ({**SCRIPT, "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{BUCKET}/none"}, f"s3://{BUCKET}/none does not exist"),
        ({"SAGEMAKER_PROGRAM": "inference.py"}, "'inference.py' is not in /opt/ml/code, which has: nothing"),
        ({}, "the model has no file 'xgboost-model' at its top, it has: code; give what the built-in algorithm left"),
        ({**SCRIPT, "SAGEMAKER_MODEL_SERVER_WORKERS": "two"}, "WORKERS is 'two'; it must be a whole number"),
        ({"SAGEMAKER_INFERENCE_OUTPUT": "probability"}, "SAGEMAKER_INFERENCE_OUTPUT is not supported on this machine"),
    ],
)
def test_what_the_variables_name_must_be_there(serve: Serve, environment: Mapping[str, str], reason: str) -> None:
    assert reason in failure_of(serve, serve.make(serve.archive({"code/inference.py": CALCULATOR}), environment))


def test_scikit_learn_s_image_needs_a_program(serve: Serve) -> None:
    data = serve.archive({"model.json": "{}"})
    assert "SAGEMAKER_PROGRAM is not set" in failure_of(serve, serve.make(data, {}, SKLEARN))


def test_requirements_that_are_not_installed_are_named(serve: Serve) -> None:
    data = serve.archive({"code/inference.py": CALCULATOR, "code/requirements.txt": "nothing-such==1\n"})
    assert "requirements.txt: 'nothing-such==1' is not installed" in failure_of(serve, serve.make(data))


def test_data_that_are_not_there_are_named(serve: Serve) -> None:
    reason = f"the object s3://{BUCKET}/none/model.tar.gz does not exist"
    assert failure_of(serve, serve.make(f"s3://{BUCKET}/none/model.tar.gz")).endswith(reason)


def test_a_damaged_archive_is_named(serve: Serve, store: Store) -> None:
    store.put(BUCKET, "bad.tar.gz", b"no archive")
    assert f"s3://{BUCKET}/bad.tar.gz is not a whole tar archive" in failure_of(
        serve, serve.make(f"s3://{BUCKET}/bad.tar.gz")
    )


def test_a_model_cut_short_is_named(serve: Serve, store: Store) -> None:
    data = serve.archive({"code/inference.py": CALCULATOR, "weights": bytes(range(256)) * 400})
    bucket, _, key = data.removeprefix("s3://").partition("/")
    with store.open(bucket, key) as stream:
        whole = stream.read()
    store.put(bucket, key, whole[: len(whole) // 2])
    assert f"{data} is not a whole tar archive" in failure_of(serve, serve.make(data))


def test_a_server_that_was_stopped_does_not_start(serve: Serve) -> None:
    server = serve.make(serve.archive({"code/inference.py": CALCULATOR}))
    server.stop()
    assert failure_of(serve, server).endswith("it was stopped before it answered /ping")


def test_a_server_can_be_stopped_while_it_starts(serve: Serve, tmp_path: Path) -> None:
    waits = f"import signal\nopen({str(tmp_path / 'loading')!r}, 'w').close()\nsignal.pause()"
    server = serve.make(serve.archive({"code/inference.py": waits}))
    with ThreadPoolExecutor(1) as threads:
        failure = threads.submit(failure_of, serve, server)
        wait_for((tmp_path / "loading").exists)
        server.stop()
        assert failure.result(60).endswith("it was stopped before it answered /ping")
