"""Endpoints and alarms on the server's port: boto3 with an endpoint, and the real AWS CLI."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipelines.local.server import Server
from tests.local.hosted import Hosting, hosting
from tests.local.server.conftest import Aws, Connect

ALARM = [
    *("--alarm-name", "claims-errors"),
    *("--namespace", "AWS/SageMaker", "--metric-name", "Invocation5XXErrors", "--statistic", "Sum"),
    *("--dimensions", "Name=EndpointName,Value=claims", "Name=VariantName,Value=primary"),
    *("--period", "60", "--evaluation-periods", "1", "--threshold", "1"),
    *("--comparison-operator", "GreaterThanOrEqualToThreshold"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosting]:
    """A root with the endpoint `claims`."""
    with hosting(tmp_path_factory.mktemp("server") / "root") as made:
        made.add_config("echoing")
        assert made.add_endpoint("claims", "echoing")["EndpointStatus"] == "InService"
        yield made


@pytest.fixture
def cli(site: Hosting, tmp_path: Path) -> Aws:
    """The AWS CLI, in an empty folder."""
    return Aws(site.session, tmp_path)


@pytest.fixture
def remote(site: Hosting, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """A session that knows the server from the environment only."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.session.services.serve().url)
    monkeypatch.setenv("no_proxy", "*")
    return boto3.Session("local", "local", region_name="us-east-1")


def test_the_command_line_invokes_an_endpoint(cli: Aws) -> None:
    (cli.folder / "claims.csv").write_text("1,2\n")
    invoke = ["sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "claims", "--content-type", "text/csv"]
    printed = json.loads(cli(*invoke, "--body", "fileb://claims.csv", "answer.json"))
    assert printed["InvokedProductionVariant"] == "primary"
    assert json.loads((cli.folder / "answer.json").read_text())["body"] == "1,2\n"
    (cli.folder / "claims.csv").write_text("mistake")
    done = cli.run(*invoke, "--body", "fileb://claims.csv", "error.json")
    assert done.returncode
    assert "(ModelError) when calling the InvokeEndpoint operation: Received client error (400)" in done.stderr
    assert not (cli.folder / "error.json").exists()


def test_the_command_line_describes_endpoints(cli: Aws) -> None:
    status = cli("sagemaker", "describe-endpoint", "--endpoint-name", "claims", "--query", "EndpointStatus")
    assert json.loads(status) == "InService"
    assert len(json.loads(cli("sagemaker", "list-endpoints"))["Endpoints"]) == 1
    done = cli.run("sagemaker", "delete-endpoint", "--endpoint-name", "ghost")
    assert "Could not find endpoint" in done.stderr


def test_the_command_line_puts_describes_and_deletes_alarms(cli: Aws) -> None:
    cli("cloudwatch", "put-metric-alarm", *ALARM)
    alarms = json.loads(cli("cloudwatch", "describe-alarms"))["MetricAlarms"]
    assert [(alarm["AlarmName"], alarm["Threshold"]) for alarm in alarms] == [("claims-errors", 1.0)]
    cli("cloudwatch", "delete-alarms", "--alarm-names", "claims-errors")
    assert json.loads(cli("cloudwatch", "describe-alarms"))["MetricAlarms"] == []


def test_a_client_of_the_port_gets_the_errors_of_the_service(remote: boto3.Session) -> None:
    runtime: Any = remote.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="claims", Body=b"bug", ContentType="text/csv")
    assert caught.value.response["OriginalStatusCode"] == 500
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    with pytest.raises(ClientError, match=r"\(413\).*HTTP content length exceeded 6291456 bytes"):
        runtime.invoke_endpoint(EndpointName="claims", Body=b"a" * (6 * 1024 * 1024 + 1))
    answer = runtime.invoke_endpoint(EndpointName="claims", Body=b"a" * 1024 * 1024, ContentType="text/csv")
    assert len(json.loads(answer["Body"].read())["body"]) == 1024 * 1024


def test_the_paths_of_endpoints_are_s3s_for_who_signs_for_s3(remote: boto3.Session) -> None:
    client = remote.client("s3")
    client.create_bucket(Bucket="endpoints")
    client.put_object(Bucket="endpoints", Key="claims/invocations", Body=b"an object")
    assert client.get_object(Bucket="endpoints", Key="claims/invocations")["Body"].read() == b"an object"


def test_other_protocols_of_cloudwatch_are_refused_in_words(server: Server, connect: Connect) -> None:
    scope = "Credential=local/20260101/us-east-1/monitoring/aws4_request"
    form = ("Content-Type: application/x-www-form-urlencoded", f"Authorization: AWS4-HMAC-SHA256 {scope}")
    with connect() as wire:
        reply = wire.ask("POST /", *form, body=b"Action=DescribeAlarms&Version=2010-08-01")
    assert reply.status == 501
    assert b"requests in another protocol than JSON" in reply.body
    assert server.port == wire.port
