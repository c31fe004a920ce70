"""S3's operations through botocore's own client; what AWS documents is asked of this machine and of moto alike."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from tests.local.api.conftest import BUCKET, content_of, error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MEBIBYTE = 1 << 20
KEYS = ["a", "b/1", "b/2", "b/c/3", "d e", "z", "é/&<1>"]


def put_all(client: "S3Client", keys: list[str]) -> None:
    for key in keys:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())


def test_buckets_are_created_listed_and_deleted(any_s3: "S3Client") -> None:
    any_s3.create_bucket(Bucket="another")
    assert sorted(bucket["Name"] for bucket in any_s3.list_buckets()["Buckets"]) == ["another", BUCKET]
    assert any_s3.head_bucket(Bucket="another")["BucketRegion"] == "us-east-1"
    assert any_s3.get_bucket_location(Bucket="another")["LocationConstraint"] is None
    assert any_s3.delete_bucket(Bucket="another")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert error_code(lambda: any_s3.head_bucket(Bucket="another")) == ("404", 404)


def test_a_missing_bucket_is_named_so_by_every_operation(any_s3: "S3Client") -> None:
    for action in (
        lambda: any_s3.delete_bucket(Bucket="missing"),
        lambda: any_s3.get_bucket_location(Bucket="missing"),
        lambda: any_s3.list_objects_v2(Bucket="missing"),
        lambda: any_s3.list_objects(Bucket="missing"),
        lambda: any_s3.put_object(Bucket="missing", Key="a", Body=b""),
        lambda: any_s3.get_object(Bucket="missing", Key="a"),
        lambda: any_s3.delete_objects(Bucket="missing", Delete={"Objects": [{"Key": "a"}]}),
        lambda: any_s3.create_multipart_upload(Bucket="missing", Key="a"),
    ):
        assert error_code(action) == ("NoSuchBucket", 404)


def test_a_bucket_with_objects_is_not_deleted(any_s3: "S3Client") -> None:
    any_s3.put_object(Bucket=BUCKET, Key="a/b", Body=b"1")
    assert error_code(lambda: any_s3.delete_bucket(Bucket=BUCKET)) == ("BucketNotEmpty", 409)
    assert content_of(any_s3, "a/b") == b"1"


def test_ones_own_bucket_can_be_created_again_in_us_east_1(any_s3: "S3Client") -> None:
    assert any_s3.create_bucket(Bucket=BUCKET)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_object_comes_back_with_everything_it_was_given(any_s3: "S3Client") -> None:
    put = any_s3.put_object(Bucket=BUCKET, Key="a b/é", Body=b"content", ContentType="text/csv", Metadata={"k": "v"})
    got = any_s3.get_object(Bucket=BUCKET, Key="a b/é")
    assert got["Body"].read() == b"content"
    head = any_s3.head_object(Bucket=BUCKET, Key="a b/é")
    etag = f'"{hashlib.md5(b"content").hexdigest()}"'
    for found in (got, head):
        assert (found["ETag"], found["ContentLength"], found["ContentType"]) == (etag, 7, "text/csv")
        assert found["Metadata"] == {"k": "v"}
        assert found["AcceptRanges"] == "bytes"
    assert put["ETag"] == etag
    assert head["LastModified"] == got["LastModified"]


def test_an_object_without_a_type_is_binary(any_s3: "S3Client") -> None:
    any_s3.put_object(Bucket=BUCKET, Key="a", Body=b"")
    assert any_s3.head_object(Bucket=BUCKET, Key="a")["ContentType"] == "binary/octet-stream"
    assert content_of(any_s3, "a") == b""


def test_a_missing_object_is_named_so(any_s3: "S3Client") -> None:
    assert error_code(lambda: any_s3.get_object(Bucket=BUCKET, Key="a")) == ("NoSuchKey", 404)
    assert error_code(lambda: any_s3.head_object(Bucket=BUCKET, Key="a")) == ("404", 404)
    with pytest.raises(any_s3.exceptions.NoSuchKey):
        any_s3.get_object(Bucket=BUCKET, Key="a")
    copy = {"Bucket": BUCKET, "Key": "a"}
    assert error_code(lambda: any_s3.copy_object(Bucket=BUCKET, Key="b", CopySource=copy)) == ("NoSuchKey", 404)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=5-5", b"5", "bytes 5-5/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=0-99", b"0123456789", "bytes 0-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_a_range_of_an_object(any_s3: "S3Client", given: str, expected: bytes, content_range: str) -> None:
    any_s3.put_object(Bucket=BUCKET, Key="a", Body=b"0123456789")
    found = any_s3.get_object(Bucket=BUCKET, Key="a", Range=given)
    assert found["Body"].read() == expected
    assert (found["ContentRange"], found["ContentLength"]) == (content_range, len(expected))
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_a_range_beyond_the_end_is_refused(any_s3: "S3Client") -> None:
    any_s3.put_object(Bucket=BUCKET, Key="a", Body=b"0123456789")
    assert error_code(lambda: content_of(any_s3, "a", Range="bytes=10-")) == ("InvalidRange", 416)


def test_a_precondition_on_the_etag(any_s3: "S3Client") -> None:
    etag = any_s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")["ETag"]
    assert content_of(any_s3, "a", IfMatch=etag) == b"1"
    any_s3.put_object(Bucket=BUCKET, Key="a", Body=b"2")
    assert error_code(lambda: content_of(any_s3, "a", IfMatch=etag)) == ("PreconditionFailed", 412)


def test_objects_are_deleted_one_by_one_and_together(any_s3: "S3Client") -> None:
    put_all(any_s3, KEYS)
    assert any_s3.delete_object(Bucket=BUCKET, Key="a")["ResponseMetadata"]["HTTPStatusCode"] == 204
    any_s3.delete_object(Bucket=BUCKET, Key="never was")
    deleted = any_s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in ["b/1", "é/&<1>"]]})
    assert sorted(item["Key"] for item in deleted["Deleted"]) == ["b/1", "é/&<1>"]
    left = ["b/2", "b/c/3", "d e", "z"]
    assert [item["Key"] for item in any_s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == left


def test_each_object_is_its_only_version_which_is_listed_by_pages_and_deleted(any_s3: "S3Client") -> None:
    put_all(any_s3, KEYS)
    pages = any_s3.get_paginator("list_object_versions").paginate(
        Bucket=BUCKET, Prefix="b/", PaginationConfig={"PageSize": 2}
    )
    versions = [version for page in pages for version in page["Versions"]]
    assert [(version["Key"], version["VersionId"], version["IsLatest"]) for version in versions] == [
        (key, "null", True) for key in ("b/1", "b/2", "b/c/3")
    ]
    chosen: Any = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
    any_s3.delete_objects(Bucket=BUCKET, Delete={"Objects": chosen})
    assert "Versions" not in any_s3.list_object_versions(Bucket=BUCKET, Prefix="b/")
    assert "Contents" in any_s3.list_objects_v2(Bucket=BUCKET)


def test_a_copy_brings_content_and_metadata(any_s3: "S3Client") -> None:
    any_s3.put_object(Bucket=BUCKET, Key="a b/é", Body=b"1", ContentType="text/csv", Metadata={"k": "v"})
    source: Any = {"Bucket": BUCKET, "Key": "a b/é"}
    result = any_s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=source)
    assert result["CopyObjectResult"]["ETag"] == any_s3.head_object(Bucket=BUCKET, Key="a b/é")["ETag"]
    any_s3.copy_object(Bucket=BUCKET, Key="other", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "w"})
    assert content_of(any_s3, "copy") == content_of(any_s3, "other") == b"1"
    heads = [any_s3.head_object(Bucket=BUCKET, Key=key) for key in ("copy", "other")]
    assert [head["Metadata"] for head in heads] == [{"k": "v"}, {"n": "w"}]
    assert heads[0]["ContentType"] == "text/csv"


def test_a_copy_to_itself_must_change_something(any_s3: "S3Client") -> None:
    any_s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")
    source: Any = {"Bucket": BUCKET, "Key": "a"}
    copied = error_code(lambda: any_s3.copy_object(Bucket=BUCKET, Key="a", CopySource=source))
    assert copied == ("InvalidRequest", 400)
    any_s3.copy_object(Bucket=BUCKET, Key="a", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "w"})
    assert any_s3.head_object(Bucket=BUCKET, Key="a")["Metadata"] == {"n": "w"}
    assert content_of(any_s3, "a") == b"1"


def check_every_page_size(client: "S3Client", operation: Any, prefix: str, delimiter: str) -> None:
    """List KEYS in pages of 1, 2, 3 and 1000, and find the same on them."""
    below = [key for key in KEYS if key.startswith(prefix)]
    single = [key for key in below if not delimiter or delimiter not in key.removeprefix(prefix)]
    grouped = sorted({key[: key.index(delimiter, len(prefix)) + 1] for key in below if key not in single})
    paginator = client.get_paginator(operation)
    for size in (1, 2, 3, 1000):
        options = {"PageSize": size}
        pages = list(paginator.paginate(Bucket=BUCKET, Prefix=prefix, Delimiter=delimiter, PaginationConfig=options))
        contents = [page.get("Contents", []) for page in pages]
        prefixes = [page.get("CommonPrefixes", []) for page in pages]
        assert [item["Key"] for page in contents for item in page] == single
        assert [item["Prefix"] for page in prefixes for item in page] == grouped
        assert all(len(items) + len(groups) <= size for items, groups in zip(contents, prefixes, strict=True))
        assert [page["IsTruncated"] for page in pages] == [True] * (len(pages) - 1) + [False]


LISTINGS = [("", ""), ("", "/"), ("b/", "/"), ("b", "/"), ("é", ""), ("q", "/")]


@pytest.mark.parametrize(("prefix", "delimiter"), LISTINGS)
def test_every_page_size_lists_the_same(any_s3: "S3Client", prefix: str, delimiter: str) -> None:
    put_all(any_s3, KEYS)
    check_every_page_size(any_s3, "list_objects_v2", prefix, delimiter)


@pytest.mark.parametrize(("prefix", "delimiter"), LISTINGS)
def test_every_page_size_lists_the_same_in_version_1(local_s3: "S3Client", prefix: str, delimiter: str) -> None:
    put_all(local_s3, KEYS)
    check_every_page_size(local_s3, "list_objects", prefix, delimiter)


def test_a_page_says_what_was_asked_and_what_is_on_it(any_s3: "S3Client") -> None:
    put_all(any_s3, KEYS)
    page = any_s3.list_objects_v2(Bucket=BUCKET, Prefix="b/", Delimiter="/", MaxKeys=2, StartAfter="b/1")
    assert [item["Key"] for item in page["Contents"]] == ["b/2"]
    assert page["CommonPrefixes"] == [{"Prefix": "b/c/"}]
    assert (page["Name"], page["Prefix"], page["Delimiter"]) == (BUCKET, "b/", "/")
    assert (page["KeyCount"], page["MaxKeys"], page["StartAfter"], page["IsTruncated"]) == (2, 2, "b/1", False)
    item = page["Contents"][0]
    assert (item["Size"], item["ETag"]) == (3, f'"{hashlib.md5(b"b/2").hexdigest()}"')
    assert item["StorageClass"] == "STANDARD"
    assert item["LastModified"] == any_s3.list_objects(Bucket=BUCKET, Prefix="b/2")["Contents"][0]["LastModified"]


def test_an_empty_listing_has_no_contents(any_s3: "S3Client") -> None:
    page = any_s3.list_objects_v2(Bucket=BUCKET)
    assert "Contents" not in page
    assert (page["KeyCount"], page["IsTruncated"]) == (0, False)


def test_a_listing_of_no_keys_is_not_truncated(any_s3: "S3Client") -> None:
    put_all(any_s3, KEYS)
    page = any_s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
    assert ("Contents" in page, page["KeyCount"], page["IsTruncated"]) == (False, 0, False)


def test_keys_that_xml_cannot_hold_are_listed(any_s3: "S3Client") -> None:
    strange = ["\x01 control", "line\nfeed\r", "per%20cent", "plus+", "tab\t"]
    put_all(any_s3, strange)
    assert [item["Key"] for item in any_s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == strange
    assert [content_of(any_s3, key) for key in strange] == [key.encode() for key in strange]


def test_large_files_go_up_and_down_in_parts(any_s3: "S3Client", tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(range(256)) * (9 * MEBIBYTE // 256) + b"end")
    extra = {"Metadata": {"k": "v"}, "ContentType": "text/csv"}
    any_s3.upload_file(str(file), BUCKET, "a/large", ExtraArgs=extra)
    any_s3.download_file(BUCKET, "a/large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == file.read_bytes()
    head = any_s3.head_object(Bucket=BUCKET, Key="a/large")
    assert (head["Metadata"], head["ContentType"], head["ContentLength"]) == (
        {"k": "v"},
        "text/csv",
        9 * MEBIBYTE + 3,
    )
    copied: Any = {"Bucket": BUCKET, "Key": "a/large"}
    any_s3.copy(copied, BUCKET, "copy", Config=TransferConfig(multipart_chunksize=5 * MEBIBYTE))
    assert content_of(any_s3, "copy") == file.read_bytes()


def begin_upload(client: "S3Client", key: str = "a") -> str:
    return client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]


def upload_part(client: "S3Client", upload: str, number: int, body: bytes) -> dict[str, Any]:
    etag = client.upload_part(Bucket=BUCKET, Key="a", UploadId=upload, PartNumber=number, Body=body)["ETag"]
    return {"PartNumber": number, "ETag": etag}


def complete(client: "S3Client", upload: str, parts: list[dict[str, Any]]) -> object:
    listed: Any = {"Parts": parts}
    return client.complete_multipart_upload(Bucket=BUCKET, Key="a", UploadId=upload, MultipartUpload=listed)


def test_an_upload_is_an_object_only_when_it_is_complete(any_s3: "S3Client") -> None:
    upload = begin_upload(any_s3)
    upload_part(any_s3, upload, 2, b"replaced")
    parts = [upload_part(any_s3, upload, 1, b"1" * 5 * MEBIBYTE), upload_part(any_s3, upload, 2, b"2")]
    assert "Contents" not in any_s3.list_objects_v2(Bucket=BUCKET)
    complete(any_s3, upload, parts)
    assert content_of(any_s3, "a") == b"1" * 5 * MEBIBYTE + b"2"


def test_an_aborted_upload_is_gone(any_s3: "S3Client") -> None:
    upload = begin_upload(any_s3)
    upload_part(any_s3, upload, 1, b"1")
    any_s3.abort_multipart_upload(Bucket=BUCKET, Key="a", UploadId=upload)
    assert "Contents" not in any_s3.list_objects_v2(Bucket=BUCKET)


def test_an_upload_is_refused_with_wrong_parts(any_s3: "S3Client") -> None:
    upload = begin_upload(any_s3)
    small, last = upload_part(any_s3, upload, 1, b"1"), upload_part(any_s3, upload, 2, b"2")
    assert error_code(lambda: complete(any_s3, upload, [small, last])) == ("EntityTooSmall", 400)
    wrong = {"PartNumber": 1, "ETag": last["ETag"]}
    assert error_code(lambda: complete(any_s3, upload, [wrong])) == ("InvalidPart", 400)
    assert error_code(lambda: complete(any_s3, upload, [])) == ("MalformedXML", 400)
    complete(any_s3, upload, [last])
    assert content_of(any_s3, "a") == b"2"


@pytest.mark.parametrize("style", ["path", "virtual"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
@pytest.mark.parametrize("checksums", ["when_supported", "when_required"])
def test_every_style_of_addressing_and_of_checksums(
    any_session: boto3.Session, any_s3: "S3Client", style: Any, region: str, checksums: Any
) -> None:
    options: Any = {"request_checksum_calculation": checksums, "response_checksum_validation": checksums}
    config = Config(s3={"addressing_style": style}, **options)
    client = any_session.client("s3", region_name=region, config=config)
    for body in (b"", b"x" * 3 * MEBIBYTE):
        client.put_object(Bucket=BUCKET, Key="s3.a/b", Body=BytesIO(body))
        assert content_of(any_s3, "s3.a/b") == content_of(client, "s3.a/b") == body
    client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "s3.a/b"}]})
    assert client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


@pytest.mark.usefixtures("any_s3")
def test_a_resource_works_too(any_session: boto3.Session) -> None:
    bucket = any_session.resource("s3").Bucket(BUCKET)
    bucket.put_object(Key="a/b", Body=b"1")
    bucket.upload_fileobj(BytesIO(b"2"), "a/c")
    assert [item.key for item in bucket.objects.filter(Prefix="a/")] == ["a/b", "a/c"]
    bucket.objects.all().delete()
    assert list(bucket.objects.all()) == []
