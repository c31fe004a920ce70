"""boto3 with an endpoint, as in any other process on this machine."""

import hashlib
import io
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from pipelines.local.server import Server
from tests.local.documents import ROLE, definition, shell

NO_PROXY: Any = urllib.request.ProxyHandler({})


@pytest.fixture
def remote(server: Server, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """A session that knows the server from the environment only."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("no_proxy", "*")
    return boto3.Session("local", "local", region_name="us-east-1")


def test_large_objects_go_both_ways_in_parts(remote: boto3.Session, tmp_path: Path, root: Path) -> None:
    content = bytes(range(256)) * 4096 * 20
    (tmp_path / "up").write_bytes(content)
    client = remote.client("s3")
    client.upload_file(str(tmp_path / "up"), "bucket", "a/up")
    client.download_file("bucket", "a/up", str(tmp_path / "down"))
    assert (root / "s3" / "bucket" / "a" / "up").read_bytes() == content
    assert (tmp_path / "down").read_bytes() == content
    assert list((root / "tmp").iterdir()) == []


@pytest.mark.parametrize("checksum", ["when_required", "when_supported"])
def test_objects_of_every_kind_of_body(remote: boto3.Session, checksum: Any) -> None:
    config = Config(request_checksum_calculation=checksum, response_checksum_validation=checksum)
    client = remote.client("s3", config=config)
    for body in (b"", b"bytes", io.BytesIO(b"file" * 100_000)):
        expected = body.getvalue() if isinstance(body, io.BytesIO) else body
        etag = client.put_object(Bucket="bucket", Key="ä b+c", Body=body, Metadata={"name": "value"})["ETag"]
        assert etag == f'"{hashlib.md5(expected).hexdigest()}"'
        got = client.get_object(Bucket="bucket", Key="ä b+c")
        assert (got["Body"].read(), got["Metadata"]) == (expected, {"name": "value"})
        client.put_object(Bucket="bucket", Key="checked", Body=expected, ChecksumAlgorithm="SHA256")
        assert client.head_object(Bucket="bucket", Key="checked")["ContentLength"] == len(expected)


def test_listings_copies_and_deletions(remote: boto3.Session) -> None:
    client = remote.client("s3")
    for name in ("a/1", "a/2", "b"):
        client.put_object(Bucket="bucket", Key=name, Body=b"x")
    client.copy_object(Bucket="bucket", Key="c", CopySource={"Bucket": "bucket", "Key": "a/1"})
    listed = client.list_objects_v2(Bucket="bucket", Delimiter="/")
    assert [item["Key"] for item in listed["Contents"]] == ["b", "c"]
    assert [item["Prefix"] for item in listed["CommonPrefixes"]] == ["a/"]
    client.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "a/1"}, {"Key": "b"}]})
    assert [item["Key"] for item in client.list_objects_v2(Bucket="bucket")["Contents"]] == ["a/2", "c"]


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_presigned_addresses_work_for_who_has_no_credentials(server: Server, remote: boto3.Session, style: Any) -> None:
    endpoint = f"http://localhost:{server.port}"
    client = remote.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": style}))
    opener = urllib.request.build_opener(NO_PROXY)
    # Not every resolver knows names below localhost, which the Host header tells apart.
    put, get = (
        urllib.request.Request(
            url.replace("bucket.localhost", "localhost"),
            data=b"content" if name == "put_object" else None,
            method="PUT" if name == "put_object" else "GET",
            headers={"Host": url.split("/")[2], "Content-Type": ""},
        )
        for name in ("put_object", "get_object")
        for url in [client.generate_presigned_url(name, {"Bucket": "bucket", "Key": "a b"})]
    )
    opener.open(put).close()
    with opener.open(get) as response:
        assert response.read() == b"content"


def test_unsigned_requests_reach_s3(remote: boto3.Session) -> None:
    client = remote.client("s3", config=Config(signature_version=UNSIGNED))
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["bucket"]


def test_an_unsigned_form_reaches_sts(remote: boto3.Session) -> None:
    client = remote.client("sts", config=Config(signature_version=UNSIGNED))
    assert client.get_caller_identity()["Account"] == "000000000000"


def test_iam_and_sts_answer(remote: boto3.Session) -> None:
    assert remote.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert remote.client("iam").get_role(RoleName="role")["Role"]["Arn"].endswith(":role/role")


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("logs", "describe_log_groups", {}),
        ("lambda", "list_functions", {}),
        ("ec2", "describe_instances", {}),
        ("iam", "delete_role", {"RoleName": "role"}),
        ("sagemaker", "create_app", {"DomainId": "d", "AppType": "JupyterServer", "AppName": "a"}),
        ("sagemaker-runtime", "invoke_endpoint_with_response_stream", {"EndpointName": "e", "Body": b""}),
        ("sagemaker-runtime", "invoke_endpoint_async", {"EndpointName": "e", "InputLocation": "s3://bucket/key"}),
        ("cloudwatch", "get_metric_data", {"MetricDataQueries": [], "StartTime": 0, "EndTime": 1}),
        ("s3", "get_bucket_policy", {"Bucket": "bucket"}),
    ],
)
def test_what_is_not_answered_says_so_at_once(
    remote: boto3.Session, service: Any, operation: str, arguments: dict[str, Any]
) -> None:
    client: Any = remote.client(service)
    with pytest.raises(ClientError, match="this machine does not answer") as caught:
        getattr(client, operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert caught.value.response["ResponseMetadata"].get("RetryAttempts", 0) == 0


def test_errors_are_those_of_the_services(remote: boto3.Session) -> None:
    with pytest.raises(ClientError) as caught:
        remote.client("s3").get_object(Bucket="bucket", Key="missing")
    assert caught.value.response["Error"]["Code"] == "NoSuchKey"
    with pytest.raises(ClientError) as caught:
        remote.client("sagemaker").describe_pipeline(PipelineName="missing")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"


def test_an_execution_that_a_client_starts_runs_to_its_end(remote: boto3.Session) -> None:
    client: Any = remote.client("sagemaker")
    client.create_pipeline(PipelineName="p", PipelineDefinition=definition(shell("Step")), RoleArn=ROLE)
    arn = client.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    while (found := client.describe_pipeline_execution(PipelineExecutionArn=arn))["PipelineExecutionStatus"] in {
        "Executing"
    }:
        pass
    assert found["PipelineExecutionStatus"] == "Succeeded"
    assert found["CreationTime"].tzinfo


def test_many_clients_at_once(remote: boto3.Session) -> None:
    client = remote.client("s3", config=Config(max_pool_connections=32))

    def round_trip(number: int) -> bytes:
        client.put_object(Bucket="bucket", Key=f"{number % 7}/{number}", Body=str(number).encode() * 10_000)
        client.list_objects_v2(Bucket="bucket")
        return client.get_object(Bucket="bucket", Key=f"{number % 7}/{number}")["Body"].read()

    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(round_trip, range(200))) == [str(number).encode() * 10_000 for number in range(200)]
