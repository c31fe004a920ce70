"""A model server on its socket: what it loads, what the functions of a program get, what comes back."""

import gzip
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.local.containers import workplace
from pipelines.local.containers.host import Host
from pipelines.local.serving.model_server import ModelServer
from pipelines.local.serving.models import HostedModel
from pipelines.local.store import Store
from tests.local.containers.processes import is_gone
from tests.local.serving.served import BUCKET, CALCULATOR, SCRIPT, SKLEARN, XGBOOST, Client, Reply, Serve, get, post

ECHO = """
    import json

    def model_fn(model_dir):
        return {"folder": model_dir}

    def input_fn(data, content_type):
        return [type(data).__name__, len(data), content_type]

    def predict_fn(data, model):
        return {"data": data, **model}

    def output_fn(prediction, accept):
        return json.dumps({**prediction, "accept": accept})
"""


@pytest.fixture(params=["isolating_host", "plain_host"])
def host(request: pytest.FixtureRequest) -> Host:
    chosen = request.getfixturevalue(request.param)
    assert isinstance(chosen, Host)
    return chosen


@pytest.fixture(scope="module")
def echoing(serve_once: Serve) -> ModelServer:
    return serve_once(ECHO)


@pytest.fixture
def echo(echoing: ModelServer) -> Iterator[Client]:
    with closing(Client(echoing.socket)) as client:
        yield client


def test_a_server_answers_on_its_socket_until_it_is_stopped(serve: Serve, host: Host) -> None:
    server = serve(CALCULATOR, host=host)
    pid = int(post(server, "os.getpid()").text)
    assert get(server, "/ping").status == 200
    assert server.is_alive()
    server.stop()
    assert not server.is_alive()
    assert is_gone(pid)
    assert not server.socket.parent.exists()
    assert serve.left() == []


def test_a_model_and_its_program_are_where_the_image_has_them(serve: Serve, host: Host) -> None:
    server = serve(CALCULATOR, host=host)
    assert post(server, "(model / 'code' / 'inference.py').exists()").text == "True"
    assert post(server, "os.environ['SM_MODEL_DIR'] == str(model)").text == "True"
    assert post(server, "Path(__file__).parent.name").text == "code"
    assert post(server, "sorted({'serving', 'serving_answers', 'isolation'} - set(sys.modules))").text == "['serving']"
    assert post(server, "any('containers' in folder for folder in sys.path)").text == "False"


@pytest.mark.parametrize("kind", ["text/csv", "application/json"])
def test_functions_get_text_for_csv_and_json(echo: Client, kind: str) -> None:
    assert json.loads(echo.post("ä,1", kind).text)["data"] == ["str", 3, kind]


@pytest.mark.parametrize("kind", ["text/csv; charset=utf-8", "application/x-npy", "image/png"])
def test_functions_get_bytes_for_other_types(echo: Client, kind: str) -> None:
    assert json.loads(echo.post("ä,1", kind).text)["data"] == ["bytes", 4, kind]


def test_functions_get_a_packed_body_as_it_was_sent(echo: Client) -> None:
    packed = gzip.compress(b"age,1")
    echo.request("POST", "/invocations", packed, {"Content-Type": "a/b", "Content-Encoding": "gzip"})
    assert json.loads(echo.reply().text)["data"] == ["bytes", len(packed), "a/b"]


def test_a_body_may_come_in_chunks(echo: Client) -> None:
    echo.request("POST", "/invocations", iter([b"age", b",1"]), {"Content-Type": "a/b"}, encode_chunked=True)
    assert json.loads(echo.reply().text)["data"] == ["bytes", 5, "a/b"]


def test_a_request_without_types_is_json(echo: Client) -> None:
    assert echo.post("1", kind="") == Reply(200, "application/json", echo.post("1", "application/json").text)


@pytest.mark.parametrize("accept", ["*/*", None])
def test_a_model_chooses_its_default_answer(serve: Serve, accept: str | None) -> None:
    server = serve(ECHO, {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"})
    reply = post(server, "1", accept=accept)
    assert (reply.kind, json.loads(reply.text)["accept"]) == ("text/csv", "text/csv")


def test_a_wanted_type_is_passed_on_as_it_was_sent(echo: Client) -> None:
    assert json.loads(echo.post("1", accept="text/csv;q=0.5").text)["accept"] == "text/csv;q=0.5"


def test_a_function_may_return_its_own_type_or_a_wsgi_application(serve: Serve) -> None:
    """Such as a response of Flask is, on which the images run."""
    server = serve("""
        def model_fn(model_dir):
            return None

        def application(environ, start_response):
            start_response("422 Unprocessable Entity", [("Content-Type", "text/x-c")])
            return [b"c", environ["REQUEST_METHOD"].encode()]

        def transform_fn(model, data, content_type, accept):
            return {"pair": ("a", "text/x-a"), "bytes": b"b", "application": application}[data]
    """)
    assert post(server, "pair") == Reply(200, "text/x-a", "a")
    assert post(server, "bytes", accept="text/csv") == Reply(200, "text/csv", "b")
    assert post(server, "application") == Reply(422, "text/x-c", "cPOST")
    assert "422: cPOST\n" in serve.log.read_text()


def test_scikit_learn_s_defaults_read_numbers_and_write_predictions(serve: Serve) -> None:
    server = serve(
        """
        class Sum:
            def predict(self, rows):
                return rows.sum(axis=1)

        def model_fn(model_dir):
            return Sum()
        """,
        image=SKLEARN,
    )
    rows = "1,2\n3,4.5"
    assert post(server, rows) == Reply(200, "application/json", "[3.0, 7.5]")
    assert post(server, rows, accept="text/csv") == Reply(200, "text/csv", "3.0\n7.5\n")
    assert post(server, "[[1, 2]]", "application/json") == Reply(200, "application/json", "[3.0]")
    assert post(server, "1", "image/png").status == 415
    assert "allowed: text/csv" in post(server, "1", "image/png").text
    assert post(server, rows, accept="image/png").status == 406
    assert post(server, "1,b").status == 400


def test_empty_variables_count_as_not_given(serve: Serve) -> None:
    assert post(serve(CALCULATOR, {"SAGEMAKER_REGION": ""}), "os.environ.get('SAGEMAKER_REGION')").text == "None"


def test_the_owner_s_variables_win(serve: Serve, store: Store, warm_host: Host) -> None:
    data = serve.archive({"code/inference.py": CALCULATOR})
    model = HostedModel("fraud", XGBOOST, data, {**SCRIPT, "A": "model", "B": "model"})
    given = {"A": "owner", "B": "", "SAGEMAKER_MODEL_SERVER_WORKERS": "3"}
    folder = serve.folder / "own"
    server = ModelServer(store, warm_host, model, folder=folder, log=serve.log, environment=given)
    server.start()
    try:
        assert post(server, "os.environ['A'], os.environ.get('B')").text == "('owner', None)"
        assert json.loads(get(server, "/execution-parameters").text)["MaxConcurrentTransforms"] == 3
    finally:
        server.stop()


def test_a_program_may_come_from_an_archive_of_its_own(serve: Serve) -> None:
    code = serve.archive({"inference.py": CALCULATOR, "helper.py": "VALUE = 42"})
    server = serve.make(None, {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": code})
    server.start()
    assert post(server, "__import__('helper').VALUE, list(model.iterdir())").text == "(42, [])"


@pytest.mark.parametrize("name", ["a folder with spaces", "Ordner-für-Modelle", "long" * 50])
def test_a_root_may_have_any_path(tmp_path: Path, host: Host, name: str) -> None:
    folder = tmp_path / name
    store = Store(folder / "s3")
    store.create_bucket(BUCKET)
    serve = Serve(folder, store, host)
    try:
        assert post(serve(CALCULATOR), "(model / 'code').is_dir()").text == "True"
    finally:
        serve.stop_all()


def test_a_socket_s_path_is_short_where_the_temporary_folder_s_is_long(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 25)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert post(serve(CALCULATOR), "1 + 1").text == "2"


def test_the_folder_of_a_socket_goes_with_other_leftovers_when_its_process_was_killed(tmp_path: Path) -> None:
    folders = [tmp_path / f"{workplace.PREFIX}{name}" for name in ("used", "left")]
    locks = [workplace.claim(folder) for folder in folders]
    for folder in folders:
        os.utime(folder, (time.time() - 3600,) * 2)
    os.close(locks[1])
    workplace.remove_leftovers(tmp_path)
    os.close(locks[0])
    assert list(tmp_path.iterdir()) == folders[:1]
