"""JSON documents of S3: read, or none where nothing can be read."""

import json

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from pipelines.delivery.documents import read_document
from tests.delivery.scripted import Script, _raw
from tests.local.conftest import Client


@pytest.mark.parametrize("text", ["{}", '{"a": [1, 2.5, null]}', "7"])
def test_a_document_is_read(s3: Client, text: str) -> None:
    s3.put_object(Bucket="bucket", Key="a/b.json", Body=text)
    assert read_document(s3, "s3://bucket/a/b.json") == json.loads(text)


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_json_is_none(s3: Client, body: bytes) -> None:
    s3.put_object(Bucket="bucket", Key="broken", Body=body)
    assert read_document(s3, "s3://bucket/broken") is None


@pytest.mark.parametrize("uri", ["s3://bucket/missing", "s3://no-such-bucket/a"])
def test_what_is_gone_is_none(s3: Client, uri: str) -> None:
    assert read_document(s3, uri) is None


class Refusing(Script):
    """A service that answers every request for an object with an error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__({})
        self._refusal = status, f"<Error><Code>{code}</Code><Message>no</Message></Error>"

    def _object(self, url: str) -> AWSResponse:
        return _raw(url, *self._refusal)


def test_what_may_not_be_read_is_none() -> None:
    service = Refusing(403, "AccessDenied")
    assert read_document(service.session.client("s3"), "s3://bucket/a") is None


def test_a_failure_of_the_service_is_seen() -> None:
    service = Refusing(400, "SlowDown")
    with pytest.raises(ClientError, match="SlowDown"):
        read_document(service.session.client("s3"), "s3://bucket/a")
