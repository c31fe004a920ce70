"""What S3 is on this machine beyond moto: a folder, in bounded memory, and refusals of what it does not answer."""

import gc
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from pipelines.local.boto_session import LocalSession
from pipelines.local.services import ACCOUNT
from pipelines.local.session import session
from tests.local.api.conftest import BUCKET, content_of, error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MEBIBYTE = 1 << 20


@pytest.fixture
def bucket(root: Path, local_s3: "S3Client") -> Path:
    """The bucket's folder, once there is a client."""
    return root / "s3" / BUCKET


def begin(client: "S3Client") -> Any:
    """Begin an upload to the key `a`; what names it in further requests."""
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="a")["UploadId"]
    return {"Bucket": BUCKET, "Key": "a", "UploadId": upload}


class Zeros(io.BytesIO):
    """So many zero bytes as a seekable file that is nowhere."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._position = 0

    def read(self, size: int | None = -1, /) -> bytes:
        count = self._size - self._position
        count = count if size is None or size < 0 else min(size, count)
        self._position += count
        return bytes(count)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def tell(self) -> int:
        return self._position


@pytest.fixture
def peak() -> Iterator[Any]:
    """A function that returns the most bytes that Python had allocated at once."""
    gc.collect()
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.mark.parametrize("checksums", ["when_supported", "when_required"])
def test_a_large_object_is_never_whole_in_memory(
    local_session: LocalSession, bucket: Path, peak: Any, checksums: Any
) -> None:
    client = local_session.client("s3", config=Config(request_checksum_calculation=checksums))
    client.put_object(Bucket=BUCKET, Key="large", Body=Zeros(64 * MEBIBYTE))
    body = client.get_object(Bucket=BUCKET, Key="large")["Body"]
    assert sum(len(block) for block in body.iter_chunks(MEBIBYTE)) == 64 * MEBIBYTE
    assert (bucket / "large").stat().st_size == 64 * MEBIBYTE
    assert peak() < 48 * MEBIBYTE


def test_a_body_is_sent_from_where_its_file_stands(local_s3: "S3Client") -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    local_s3.put_object(Bucket=BUCKET, Key="a", Body=file)
    assert content_of(local_s3, "a") == b"456789"


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_a_body_that_is_not_read_leaves_no_open_file(local_s3: "S3Client", bucket: Path) -> None:
    (bucket / "a").write_bytes(b"content")
    opened = open_files()
    local_s3.get_object(Bucket=BUCKET, Key="a")
    with local_s3.get_object(Bucket=BUCKET, Key="a")["Body"] as body:
        assert body.read(3) == b"con"
    read = local_s3.get_object(Bucket=BUCKET, Key="a")["Body"]
    assert read.read() + read.read() == b"content"
    gc.collect()
    assert open_files() == opened


def test_a_body_gives_lines(local_s3: "S3Client", bucket: Path) -> None:
    (bucket / "a").write_bytes(b"1,2\n3,4\n")
    assert list(local_s3.get_object(Bucket=BUCKET, Key="a")["Body"].iter_lines()) == [b"1,2", b"3,4"]


@pytest.mark.parametrize("key", ["../../outside", "a/../../../outside", "/absolute", "a//b", "a/", "./a", "a\0b"])
def test_a_key_that_leaves_its_folder_is_refused(root: Path, local_s3: "S3Client", key: str) -> None:
    before = sorted(root.parent.rglob("*"))
    source: Any = {"Bucket": BUCKET, "Key": key}
    for action in (
        lambda: local_s3.put_object(Bucket=BUCKET, Key=key, Body=b"x"),
        lambda: local_s3.get_object(Bucket=BUCKET, Key=key),
        lambda: local_s3.delete_object(Bucket=BUCKET, Key=key),
        lambda: local_s3.create_multipart_upload(Bucket=BUCKET, Key=key),
        lambda: local_s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=source),
    ):
        assert error_code(action) == ("InvalidArgument", 400)
    assert error_code(lambda: local_s3.head_object(Bucket=BUCKET, Key=key)) == ("404", 404)
    assert sorted(root.parent.rglob("*")) == before


def test_a_bucket_that_is_no_bucket_name_is_refused(root: Path, local_s3: "S3Client") -> None:
    before = sorted(root.parent.rglob("*"))
    for name in ("UPPER", "under_score", "..", "a"):
        assert error_code(lambda name=name: local_s3.create_bucket(Bucket=name)) == ("InvalidBucketName", 400)  # type: ignore[misc]
    assert sorted(root.parent.rglob("*")) == before


def test_an_upload_id_cannot_name_a_folder(local_s3: "S3Client", root: Path) -> None:
    (root / "tmp" / "upload-x").mkdir(parents=True)
    for upload in ("x", "../../s3/bucket", "x" * 32):
        action = {"Bucket": BUCKET, "Key": "a", "UploadId": upload}
        assert error_code(lambda a=action: local_s3.abort_multipart_upload(**a)) == ("NoSuchUpload", 404)  # type: ignore[misc]
    assert (root / "tmp" / "upload-x").is_dir()


def test_an_aborted_upload_takes_no_parts(local_s3: "S3Client") -> None:
    upload = begin(local_s3)
    part = {"PartNumber": 1, "ETag": local_s3.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"]}
    local_s3.abort_multipart_upload(**upload)
    listed: Any = {"Parts": [part]}
    for action in (
        lambda: local_s3.upload_part(**upload, PartNumber=1, Body=b"x"),
        lambda: local_s3.complete_multipart_upload(**upload, MultipartUpload=listed),
        lambda: local_s3.abort_multipart_upload(**upload),
    ):
        assert error_code(action) == ("NoSuchUpload", 404)


def test_an_upload_belongs_to_its_key(local_s3: "S3Client") -> None:
    upload = begin(local_s3)
    other = {**upload, "Key": "b"}
    assert error_code(lambda: local_s3.upload_part(**other, PartNumber=1, Body=b"x")) == ("NoSuchUpload", 404)
    assert error_code(lambda: local_s3.upload_part(**upload, PartNumber=0, Body=b"x")) == ("InvalidArgument", 400)


def test_parts_must_be_in_order(local_s3: "S3Client") -> None:
    upload = begin(local_s3)
    parts = [
        {"PartNumber": number, "ETag": local_s3.upload_part(**upload, PartNumber=number, Body=b"x")["ETag"]}
        for number in (2, 1)
    ]
    listed: Any = {"Parts": parts}
    refused = error_code(lambda: local_s3.complete_multipart_upload(**upload, MultipartUpload=listed))
    assert refused == ("InvalidPartOrder", 400)


def test_a_finished_upload_leaves_nothing_behind(local_s3: "S3Client", root: Path, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(9 * MEBIBYTE))
    local_s3.upload_file(str(file), BUCKET, "large")
    assert list((root / "tmp").iterdir()) == []


def test_quiet_deletion_tells_errors_only(local_s3: "S3Client") -> None:
    local_s3.put_object(Bucket=BUCKET, Key="a", Body=b"")
    objects: Any = {"Objects": [{"Key": "a"}, {"Key": "../x"}], "Quiet": True}
    result = local_s3.delete_objects(Bucket=BUCKET, Delete=objects)
    assert "Deleted" not in result
    assert [(error["Key"], error["Code"]) for error in result["Errors"]] == [("../x", "InvalidArgument")]
    assert "Contents" not in local_s3.list_objects_v2(Bucket=BUCKET)


def test_a_version_that_cannot_be_is_not_deleted(local_s3: "S3Client") -> None:
    local_s3.put_object(Bucket=BUCKET, Key="a", Body=b"")
    objects: Any = {"Objects": [{"Key": "a", "VersionId": "3HL4kqtJlcpXroDTDmjVBH40Nrjfkd"}]}
    assert error_code(lambda: local_s3.delete_objects(Bucket=BUCKET, Delete=objects)) == ("NotImplemented", 501)
    assert "Contents" in local_s3.list_objects_v2(Bucket=BUCKET)


def test_a_bucket_is_in_the_region_of_its_session(tmp_path: Path) -> None:
    client = session(tmp_path, region="eu-central-1").client("s3")
    constraint: Any = {"LocationConstraint": "eu-central-1"}
    refused = error_code(lambda: client.create_bucket(Bucket=BUCKET))
    assert refused == ("IllegalLocationConstraintException", 400)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=constraint)
    assert client.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "eu-central-1"
    again = error_code(lambda: client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=constraint))
    assert again == ("BucketAlreadyOwnedByYou", 409)


def test_the_bucket_owner_is_this_machines_account(local_s3: "S3Client") -> None:
    local_s3.head_bucket(Bucket=BUCKET, ExpectedBucketOwner=ACCOUNT)
    other = error_code(lambda: local_s3.list_objects_v2(Bucket=BUCKET, ExpectedBucketOwner="1" * 12))
    assert other == ("AccessDenied", 403)


def test_what_is_not_answered_says_so_and_changes_nothing(local_s3: "S3Client", bucket: Path) -> None:
    local_s3.put_object(Bucket=BUCKET, Key="a", Body=b"old")
    policy = "{}"
    for action in (
        lambda: local_s3.get_bucket_policy(Bucket=BUCKET),
        lambda: local_s3.put_bucket_policy(Bucket=BUCKET, Policy=policy),
        lambda: local_s3.delete_bucket_policy(Bucket=BUCKET),
        lambda: local_s3.get_bucket_versioning(Bucket=BUCKET),
        lambda: local_s3.delete_object_tagging(Bucket=BUCKET, Key="a"),
        lambda: local_s3.get_object(Bucket=BUCKET, Key="a", VersionId="1"),
        lambda: local_s3.list_multipart_uploads(Bucket=BUCKET),
        lambda: local_s3.put_object(Bucket=BUCKET, Key="a", Body=b"new", IfNoneMatch="*"),
    ):
        assert error_code(action) == ("NotImplemented", 501)
    assert (bucket / "a").read_bytes() == b"old"


@pytest.mark.parametrize("after", ["b/", "b/1", "b/zzz"])
def test_a_listing_starts_after_a_key_or_a_common_prefix(local_s3: "S3Client", after: str) -> None:
    for key in ("a", "b/1", "b/2", "c"):
        local_s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    page = local_s3.list_objects_v2(Bucket=BUCKET, Delimiter="/", StartAfter=after)
    assert [item["Key"] for item in page["Contents"]] == ["c"]
    assert page.get("CommonPrefixes", []) == ([{"Prefix": "b/"}] if after == "b/1" else [])


def test_a_wrong_token_is_refused(local_s3: "S3Client") -> None:
    for token in ("no token", "w6k", "/w=="):
        refused = error_code(lambda t=token: local_s3.list_objects_v2(Bucket=BUCKET, ContinuationToken=t))  # type: ignore[misc]
        assert refused == ("InvalidArgument", 400)


def test_a_file_put_in_by_hand_is_an_object(local_s3: "S3Client", bucket: Path) -> None:
    (bucket / "data").mkdir()
    (bucket / "data" / "claims.csv").write_text("a,b")
    assert content_of(local_s3, "data/claims.csv") == b"a,b"
    assert [item["Key"] for item in local_s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["data/claims.csv"]


def test_an_object_may_be_replaced_while_it_is_read(local_s3: "S3Client") -> None:
    local_s3.put_object(Bucket=BUCKET, Key="a", Body=b"old" * MEBIBYTE)
    body = local_s3.get_object(Bucket=BUCKET, Key="a")["Body"]
    start = body.read(3)
    local_s3.put_object(Bucket=BUCKET, Key="a", Body=b"new")
    assert start + body.read() == b"old" * MEBIBYTE
