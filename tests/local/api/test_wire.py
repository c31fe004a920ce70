"""The wire: JSON operations, bodies in S3's chunks, and bodies that end early."""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.api.bodies import Bounded, Chunked, Content
from pipelines.local.api.wire import Request, answer_json
from pipelines.local.errors import ResourceNotFound, ServiceError, ValidationError

SAGEMAKER = ServiceModel(get_session().get_component("data_loader").load_service_model("sagemaker", "service-2"))


def ask(operation: str, body: bytes, answer: Mapping[str, Any] | ServiceError) -> dict[str, Any]:
    """Answer one SageMaker request, and parse the response as botocore does."""

    def call(request: dict[str, Any]) -> dict[str, Any]:
        assert request == json.loads(body)
        if isinstance(answer, ServiceError):
            raise answer
        return dict(answer)

    headers = {"x-amz-target": f"SageMaker.{operation}", "content-length": str(len(body))}
    request = Request("POST", "https://api.sagemaker.us-east-1.amazonaws.com/", headers, io.BytesIO(body))
    response = answer_json(request, service="sagemaker", operations={"DescribePipeline": call})
    given_headers: Any = response.headers
    sent = AWSResponse(request.url, response.status, given_headers, response.raw())
    raw = {"status_code": sent.status_code, "headers": sent.headers, "body": sent.content}
    shape: Any = SAGEMAKER.operation_model("DescribePipeline").output_shape
    parsed: dict[str, Any] = create_parser("json").parse(raw, shape)
    return parsed


def test_a_response_is_what_the_operation_returns() -> None:
    parsed = ask("DescribePipeline", b'{"PipelineName": "p"}', {"PipelineName": "p", "CreationTime": 1700000000.5})
    assert parsed["PipelineName"] == "p"
    assert parsed["CreationTime"].timestamp() == 1700000000.5
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert parsed["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    ("error", "code"), [(ValidationError("no"), "ValidationException"), (ResourceNotFound("no"), "ResourceNotFound")]
)
def test_a_refusal_has_its_code_and_message(error: ServiceError, code: str) -> None:
    parsed = ask("DescribePipeline", b"{}", error)
    assert parsed["Error"] == {"Code": code, "Message": "no"}
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_unknown_operation_is_named() -> None:
    parsed = ask("CreateSpaceship", b"{}", {})
    assert parsed["Error"]["Code"] == "NotImplemented"
    assert "sagemaker:CreateSpaceship" in parsed["Error"]["Message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_request_that_is_no_json_object_is_refused(body: bytes) -> None:
    assert ask("DescribePipeline", body, {})["Error"]["Code"] == "SerializationException"


class Slow(io.BytesIO):
    """A stream that gives few bytes at a time, as a socket may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(7 if size is None or size < 0 else min(size, 7))


def blocks(body: io.RawIOBase, size: int) -> Iterator[bytes]:
    return iter(lambda: body.read(size) or b"", b"")


@given(content=st.binary(max_size=200), chunk=st.integers(1, 64), size=st.integers(1, 50), checksum=st.booleans())
def test_chunks_decode_to_what_botocore_encoded(content: bytes, chunk: int, size: int, checksum: bool) -> None:
    checksum_class = Crc32Checksum if checksum else None
    encoded = AwsChunkedWrapper(io.BytesIO(content), checksum_cls=checksum_class, chunk_size=chunk).read()
    encoded += b"" if checksum else b"\r\n"
    assert b"".join(blocks(Chunked(Slow(encoded)), size)) == content


def test_signed_chunks_and_trailers_are_decoded() -> None:
    encoded = b"4;chunk-signature=aa\r\nwiki\r\n0;chunk-signature=bb\r\nx-amz-checksum-crc32:abc=\r\nx-other:1\r\n\r\n"
    assert Chunked(io.BytesIO(encoded)).read() == b"wiki"


@given(cut=st.integers(0, 36))
def test_chunks_that_end_early_are_incomplete(cut: int) -> None:
    encoded = b"4\r\nwiki\r\n5\r\npedia\r\n0\r\nx-sum:a\r\n\r\n"[:-2]
    with pytest.raises(ServiceError) as caught:
        Chunked(io.BytesIO(encoded[:cut])).read()
    assert caught.value.code == "IncompleteBody"


@pytest.mark.parametrize("encoded", [b"zz\r\nwiki\r\n0\r\n\r\n", b"3\r\nwiki\r\n0\r\n\r\n", b"-4\r\nwiki\r\n0\r\n\r\n"])
def test_chunks_of_a_wrong_size_are_refused(encoded: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        Chunked(io.BytesIO(encoded)).read()
    assert caught.value.code == "IncompleteBody"


def test_a_bounded_body_takes_no_more_than_its_own() -> None:
    stream = Slow(b"0123456789 and the next request")
    assert Bounded(stream, 10).read() == b"0123456789"
    assert stream.tell() == 10
    with pytest.raises(ServiceError, match="it ended 3 bytes early"):
        Bounded(io.BytesIO(b"0123456"), 10).read()


def test_content_closes_its_file_at_the_end() -> None:
    file = io.BytesIO(b"0123456789")
    body = Content(file, 4)
    assert (body.read(3), file.closed) == (b"012", False)
    assert (body.read(3), file.closed) == (b"3", True)
    assert (body.read(), body.read(1)) == (b"", b"")
    assert list(Content(io.BytesIO(b"0123"), 3).stream(2)) == [b"01", b"2"]
    assert Content(io.BytesIO(b"1\n2\n"), 4).readlines() == [b"1\n", b"2\n"]
