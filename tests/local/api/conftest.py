"""An S3 client of this machine, and one of moto: the same tests run over both."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pipelines.local.boto_session import LocalSession
from pipelines.local.session import session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "bucket"


@pytest.fixture(scope="module", params=["local", "moto"])
def any_session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[boto3.Session]:
    """A session of either implementation, in us-east-1."""
    if request.param == "local":
        yield session(tmp_path_factory.mktemp("root"), region="us-east-1")
        return
    with mock_aws():
        yield boto3.Session("moto", "moto", region_name="us-east-1")


@pytest.fixture(scope="module")
def any_client(any_session: boto3.Session) -> "S3Client":
    """S3 of either implementation, made once: a client takes longer than the tests."""
    return any_session.client("s3")


@pytest.fixture
def any_s3(any_client: "S3Client") -> Iterator["S3Client"]:
    """S3 of either implementation, with one empty bucket."""
    any_client.create_bucket(Bucket=BUCKET)
    yield any_client
    remove_buckets(any_client)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root folder of local_session, in a folder of its own."""
    return tmp_path_factory.mktemp("local") / "root"


@pytest.fixture(scope="module")
def local_session(root: Path) -> LocalSession:
    """A session of this machine, in us-east-1."""
    return session(root, region="us-east-1")


@pytest.fixture(scope="module")
def local_client(local_session: LocalSession) -> "S3Client":
    """S3 of this machine, made once."""
    return local_session.client("s3")


@pytest.fixture
def local_s3(local_client: "S3Client", root: Path) -> Iterator["S3Client"]:
    """S3 of this machine, with one empty bucket, nothing left of the test before."""
    local_client.create_bucket(Bucket=BUCKET)
    yield local_client
    remove_buckets(local_client)
    for path in (root / "tmp").iterdir():
        shutil.rmtree(path)


def remove_buckets(client: "S3Client") -> None:
    """Delete every object and every bucket."""
    for bucket in client.list_buckets()["Buckets"]:
        for item in client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            client.delete_object(Bucket=bucket["Name"], Key=item["Key"])
        client.delete_bucket(Bucket=bucket["Name"])


def error_code(action: Callable[[], object]) -> tuple[str, int]:
    """Return the code and the HTTP status with which an action is refused, at the first attempt and in one line."""
    with pytest.raises(ClientError) as caught:
        action()
    response = caught.value.response
    assert response["ResponseMetadata"].get("RetryAttempts", 0) == 0
    assert "\n" not in str(caught.value)
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def content_of(client: "S3Client", key: str, **options: Any) -> bytes:
    """Return an object's bytes."""
    return client.get_object(Bucket=BUCKET, Key=key, **options)["Body"].read()
