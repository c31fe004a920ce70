"""The session: real boto3 clients that never leave this machine, and how it is imported."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

import pipelines.local
from pipelines.local.errors import LocalError
from pipelines.local.services import ACCOUNT
from tests.unprivileged import unprivileged_folder

AWS_VARIABLES = ["AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]


@pytest.fixture(autouse=True)
def no_aws_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in AWS_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def session(tmp_path: Path) -> boto3.Session:
    return pipelines.local.session(tmp_path / "root")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The addresses that anybody connected to."""
    addresses: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        addresses.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", connect)
    yield addresses
    assert addresses == []


def test_a_session_makes_its_folders_and_nothing_else(tmp_path: Path) -> None:
    pipelines.local.session(tmp_path / "deep" / "root")
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert found == ["deep", "deep/root", *(f"deep/root/{name}" for name in ("jobs", "logs", "s3", "tmp"))]


def test_a_new_root_is_for_its_user_alone_and_one_that_is_there_stays_as_open_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    for name in ("new", "shared"):
        pipelines.local.session(tmp_path / name)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("new", "shared")] == [0o700, 0o755]


def test_the_default_root_is_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    client = pipelines.local.session().client("s3")
    monkeypatch.chdir("/")
    client.create_bucket(Bucket="bucket")
    assert (tmp_path / ".sagemaker-local" / "s3" / "bucket").is_dir()


@pytest.mark.parametrize(
    ("given", "variables", "expected"),
    [
        (None, {}, "us-east-1"),
        (None, {"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        (None, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-north-1"}, "eu-north-1"),
        (None, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": ""}, "eu-west-1"),
        ("eu-south-1", {"AWS_DEFAULT_REGION": "eu-north-1"}, "eu-south-1"),
    ],
)
def test_the_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, variables: dict[str, str], expected: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    session = pipelines.local.session(tmp_path, region=given)
    assert session.region_name == session.client("s3").meta.region_name == expected


def test_two_sessions_on_one_root_see_the_same(tmp_path: Path) -> None:
    first, second = (pipelines.local.session(tmp_path).client("s3") for _ in range(2))
    first.create_bucket(Bucket="bucket")
    first.put_object(Bucket="bucket", Key="a", Body=b"1")
    assert second.get_object(Bucket="bucket", Key="a")["Body"].read() == b"1"


def test_the_users_profiles_credentials_and_endpoints_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[Any]
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile me]\nregion = ap-south-1\nendpoint_url = http://localhost:4566\n[default]\nca_bundle=/x\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "missing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://localhost:4566")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    session = pipelines.local.session(tmp_path / "root")
    client = session.client("s3")
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="a", Body=b"1")
    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == "local"
    assert client.meta.endpoint_url.endswith("amazonaws.com")
    assert no_network == []


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("dynamodb", "list_tables", {}),
        ("ec2", "describe_instances", {}),
        ("iam", "delete_role", {"RoleName": "role"}),
        ("lambda", "list_functions", {}),
        ("cloudwatch", "list_metrics", {}),
        ("sagemaker-runtime", "invoke_endpoint_with_response_stream", {"EndpointName": "e", "Body": b""}),
        ("sagemaker", "create_app", {"DomainId": "d", "AppType": "JupyterServer", "AppName": "a"}),
        ("sts", "get_session_token", {}),
        ("s3", "get_bucket_policy", {"Bucket": "bucket"}),
    ],
)
def test_what_is_not_answered_never_goes_to_the_network(
    session: boto3.Session, no_network: list[Any], service: Any, operation: str, arguments: dict[str, Any]
) -> None:
    client: Any = session.client(service)
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert caught.value.response["ResponseMetadata"].get("RetryAttempts", 0) == 0
    assert f"does not answer {service}:" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert no_network == []


def test_clients_work_from_many_threads(session: boto3.Session) -> None:
    client = session.client("s3")
    client.create_bucket(Bucket="bucket")

    def round_trip(number: int) -> bytes:
        client.put_object(Bucket="bucket", Key=f"a/{number % 7}/{number}", Body=str(number).encode())
        client.list_objects_v2(Bucket="bucket")
        return client.get_object(Bucket="bucket", Key=f"a/{number % 7}/{number}")["Body"].read()

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(round_trip, range(160))) == [str(number).encode() for number in range(160)]


def test_a_session_is_answered_here_even_while_moto_answers_others(tmp_path: Path) -> None:
    with mock_aws():
        client = pipelines.local.session(tmp_path).client("s3")
        client.create_bucket(Bucket="bucket")
        assert (tmp_path / "s3" / "bucket").is_dir()
        assert client.get_bucket_location(Bucket="bucket")["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert pipelines.local.session(tmp_path).client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_a_root_that_is_no_folder_is_one_line_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for root in (tmp_path / "file", tmp_path / "file" / "root"):
        with pytest.raises(LocalError) as caught:
            pipelines.local.session(root)
        assert str(root) in str(caught.value)
        assert "choose another root folder" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_root_that_cannot_be_written_is_one_line() -> None:
    with unprivileged_folder() as folder:
        (folder / "closed").mkdir(mode=0o500)
        for root in (folder / "closed", folder / "closed" / "root"):
            with pytest.raises(LocalError, match=r"Permission denied .*; choose another root folder"):
                pipelines.local.session(root)


IMPORTS = [
    "import pipelines.local",
    "import pipelines.local.session, pipelines.local",
    "from pipelines.local import session; import pipelines.local",
    "from pipelines.local.session import session; import pipelines.local; assert pipelines.local.session is session",
    "import pipelines.local.boto_session, pipelines.local.store",
]


@pytest.mark.parametrize("imports", IMPORTS)
def test_the_session_function_is_found_whichever_is_imported_first(tmp_path: Path, imports: str) -> None:
    script = f"""
import sys
{imports}
for _ in range(2):
    print(pipelines.local.session(sys.argv[1]).region_name)
    import pipelines.local.session
    from pipelines.local.session import session as function
    assert function is pipelines.local.session
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["us-east-1"] * 2


def test_importing_the_package_imports_neither_boto3_nor_what_jobs_use() -> None:
    script = "import sys, pipelines.local, pipelines.local.errors; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    roots = {name.partition(".")[0] for name in loaded}
    assert not roots & {"boto3", "botocore", "sagemaker", "pandas", "xgboost", "optuna", "pydantic", "rich"}
    assert "pipelines.local.store" not in loaded


def test_a_session_does_not_load_the_model_of_sagemaker_before_it_is_needed(tmp_path: Path) -> None:
    script = """
import sys
from botocore.loaders import Loader
from pipelines.local import session

loaded = []
original = Loader.load_service_model
Loader.load_service_model = lambda self, name, *rest, **more: (
    loaded.append(name), original(self, name, *rest, **more))[1]
session(sys.argv[1]).client("s3").list_buckets()
print(*loaded)
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "s3" in loaded
    assert "sagemaker" not in loaded


def serving_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "container-host"}


def test_a_warm_session_prepares_for_the_jobs_of_a_new_root_only(tmp_path: Path) -> None:
    before = serving_threads()

    cold = pipelines.local.session(tmp_path)
    assert serving_threads() == before
    warm = pipelines.local.session(tmp_path, warm_up=True)
    assert len(serving_threads() - before) == 1
    warm.client("sagemaker").list_pipelines()
    warm.close()
    for thread in serving_threads() - before:
        thread.join(10)
    used = pipelines.local.session(tmp_path, warm_up=True)
    assert serving_threads() == before

    cold.close()
    used.close()


def test_a_session_that_deploys_nothing_imports_nothing_of_endpoints(tmp_path: Path) -> None:
    script = f"""
import sys
from pipelines.local.session import session
with session({str(tmp_path / "root")!r}) as opened:
    opened.client("sagemaker").list_models()
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "pipelines.local.service" in imported
    assert not {name for name in imported if name.startswith(("aiohttp", "pipelines.local.hosting"))}
