"""Uploads under the hash of their content."""

import gzip
import io
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipelines.delivery.errors import UploadError
from pipelines.delivery.upload import Destination, upload_archive, upload_data, upload_sources

BUCKET = "uploads"


@pytest.fixture
def to() -> Iterator[Destination]:
    with mock_aws():
        session = boto3.Session("AKIA", "secret", region_name="us-east-1")
        session.client("s3").create_bucket(Bucket=BUCKET)
        yield Destination(session, BUCKET, "team/fraud")


@pytest.fixture
def writes(to: Destination) -> list[str]:
    """The keys that are written from now on."""
    keys: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        keys.append(params["Key"])

    to.client.meta.events.register("provide-client-params.s3.PutObject", note)
    return keys


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    return write(tmp_path / "claims", {"claims.csv": b"policy_id\n1\n", "customers.csv": b"policy_id,age\n1,30\n"})


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def objects(to: Destination, prefix: str = "") -> dict[str, bytes]:
    listed = to.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {item["Key"]: to.client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read() for item in listed}


def key_of(uri: str) -> str:
    return uri.removeprefix(f"s3://{BUCKET}/")


def test_a_folder_of_data_lies_below_its_hash_and_nothing_else_does(to: Destination, claims: Path) -> None:
    uri = upload_data(claims, to)
    assert re.fullmatch(rf"s3://{BUCKET}/team/fraud/data/[0-9a-f]{{64}}/", uri)
    assert objects(to) == {
        key_of(uri) + "claims.csv": b"policy_id\n1\n",
        key_of(uri) + "customers.csv": b"policy_id,age\n1,30\n",
    }


def test_what_is_there_is_not_uploaded_again(to: Destination, claims: Path, writes: list[str]) -> None:
    first = upload_data(claims, to)
    assert len(writes) == 2
    assert upload_data(claims, to) == first
    assert len(writes) == 2


def test_the_hash_is_the_same_in_another_folder_at_another_time(to: Destination, claims: Path, tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in claims.iterdir()}
    moved = write(tmp_path / "elsewhere" / "Schäden", dict(reversed(files.items())))
    os.utime(moved / "claims.csv", (0, 0))
    (moved / "claims.csv").chmod(0o600)
    assert upload_data(moved, to) == upload_data(claims, to)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "claims.csv").write_bytes(b"policy_id\n2\n"),
        lambda folder: (folder / "claims.csv").rename(folder / "claims-2.csv"),
        lambda folder: (folder / "more.csv").write_bytes(b""),
        lambda folder: (folder / "customers.csv").unlink(),
    ],
    ids=["content", "name", "one more", "one less"],
)
def test_any_change_of_the_data_has_a_hash_of_its_own(
    to: Destination, claims: Path, change: Callable[[Path], None]
) -> None:
    before = upload_data(claims, to)
    change(claims)
    assert upload_data(claims, to) != before


def test_names_and_contents_cannot_trade_places(to: Destination, tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"a": b"b", "c": b"d"})
    two = write(tmp_path / "two", {"a": b"d", "c": b"b"})
    assert upload_data(one, to) != upload_data(two, to)


def test_hidden_files_and_folders_stay_behind(to: Destination, claims: Path) -> None:
    before = upload_data(claims, to)
    write(claims, {".DS_Store": b"x", ".git/config": b"x", "more/.hidden": b"x"})
    assert upload_data(claims, to) == before
    assert len(objects(to)) == 2


def test_folders_in_the_folder_keep_their_names(to: Destination, tmp_path: Path) -> None:
    uri = upload_data(write(tmp_path / "d", {"2024/claims.csv": b"1", "2025/claims.csv": b"2"}), to)
    assert set(objects(to)) == {key_of(uri) + "2024/claims.csv", key_of(uri) + "2025/claims.csv"}


def test_names_beyond_ascii_arrive_as_they_are(to: Destination, tmp_path: Path) -> None:
    uri = upload_data(write(tmp_path / "d", {"Schäden 保険 +%20&.csv": b"1"}), to)
    assert objects(to) == {key_of(uri) + "Schäden 保険 +%20&.csv": b"1"}


def test_a_linked_file_and_a_linked_folder_are_data_too(to: Destination, claims: Path, tmp_path: Path) -> None:
    folder = tmp_path / "linked"
    folder.mkdir()
    (folder / "a.csv").symlink_to(claims / "claims.csv")
    (folder / "sub").symlink_to(claims)
    uri = upload_data(folder, to)
    assert {key.removeprefix(key_of(uri)) for key in objects(to)} == {"a.csv", "sub/claims.csv", "sub/customers.csv"}


def test_a_large_file_goes_up_whole(to: Destination, tmp_path: Path) -> None:
    content = os.urandom(9 * 1024 * 1024)
    uri = upload_data(write(tmp_path / "d", {"big.csv": content}), to)
    assert objects(to) == {key_of(uri) + "big.csv": content}


@pytest.mark.parametrize("rest", [None, b"poli"], ids=["missing", "cut off"])
def test_an_upload_that_was_cut_off_is_completed(
    to: Destination, claims: Path, writes: list[str], rest: bytes | None
) -> None:
    uri = upload_data(claims, to)
    broken = key_of(uri) + "claims.csv"
    to.client.delete_object(Bucket=BUCKET, Key=broken)
    if rest is not None:
        to.client.put_object(Bucket=BUCKET, Key=broken, Body=rest)
    writes.clear()
    assert upload_data(claims, to) == uri
    assert writes == [broken]
    assert objects(to)[broken] == b"policy_id\n1\n"


def test_a_thousand_and_one_files_are_all_seen_again(to: Destination, tmp_path: Path, writes: list[str]) -> None:
    folder = write(tmp_path / "d", {f"{number:04}.csv": b"1" for number in range(1001)})
    upload_data(folder, to)
    writes.clear()
    upload_data(folder, to)
    assert writes == []


def test_a_file_that_changes_while_it_goes_up_is_not_kept(to: Destination, claims: Path) -> None:
    def append(params: dict[str, Any], **_: Any) -> None:
        with (claims / Path(params["Key"]).name).open("ab") as file:
            file.write(b"2\n")

    to.client.meta.events.register("provide-client-params.s3.PutObject", append)
    with pytest.raises(UploadError, match=r"claims\.csv changed while it was uploaded: run again"):
        upload_data(claims, to)
    assert objects(to) == {}


def test_a_missing_folder_is_one_clear_error(to: Destination, tmp_path: Path) -> None:
    with pytest.raises(UploadError, match=r"nowhere is not a folder: give the folder that holds the input files"):
        upload_data(tmp_path / "nowhere", to)


def test_a_file_in_place_of_a_folder_is_one_clear_error(to: Destination, claims: Path) -> None:
    with pytest.raises(UploadError, match=r"claims\.csv is not a folder"):
        upload_data(claims / "claims.csv", to)


def test_a_folder_of_hidden_files_alone_is_empty(to: Destination, tmp_path: Path) -> None:
    with pytest.raises(UploadError, match=r"d holds no files"):
        upload_data(write(tmp_path / "d", {".hidden": b"x"}), to)
    assert objects(to) == {}


def test_a_link_to_nothing_is_named_and_nothing_goes_up(to: Destination, claims: Path) -> None:
    (claims / "gone.csv").symlink_to(claims / "missing.csv")
    with pytest.raises(UploadError, match=r"cannot read .*gone\.csv: No such file or directory"):
        upload_data(claims, to)
    assert objects(to) == {}


def test_what_is_no_file_is_named_and_nothing_goes_up(to: Destination, claims: Path) -> None:
    os.mkfifo(claims / "pipe")
    with pytest.raises(UploadError, match=r"pipe is not a regular file"):
        upload_data(claims, to)
    assert objects(to) == {}


def test_a_name_that_is_not_utf_8_is_named_and_nothing_goes_up(to: Destination, claims: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(claims) + b"/\xff.csv")).touch()
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    with pytest.raises(UploadError, match=r"not valid UTF-8"):
        upload_data(claims, to)
    assert objects(to) == {}


def test_an_archive_holds_the_named_files_and_nothing_of_this_machine(to: Destination, claims: Path) -> None:
    uri = upload_archive(claims, ["customers.csv", "claims.csv"], to)
    assert re.fullmatch(rf"s3://{BUCKET}/team/fraud/code/[0-9a-f]{{64}}/sourcedir\.tar\.gz", uri)
    packed = objects(to)[key_of(uri)]
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        entries = archive.getmembers()
    assert [entry.name for entry in entries] == ["claims.csv", "customers.csv"]
    assert {(entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname, entry.mode) for entry in entries} == {
        (0, 0, 0, "", "", 0o644)
    }
    assert packed[4:8] == bytes(4), "the time in gzip's header"


def test_an_archive_is_the_same_bytes_at_another_time_in_another_folder(
    to: Destination, claims: Path, tmp_path: Path
) -> None:
    first = upload_archive(claims, ["claims.csv"], to)
    before = objects(to)
    copy = write(tmp_path / "copy", {"claims.csv": (claims / "claims.csv").read_bytes(), "other.csv": b"x"})
    os.utime(copy / "claims.csv", (0, 0))
    to.client.delete_object(Bucket=BUCKET, Key=key_of(first))
    assert upload_archive(copy, ["claims.csv"], to) == first
    assert objects(to) == before
    assert b"policy_id" in gzip.decompress(before[key_of(first)])


def test_an_archive_goes_up_once(to: Destination, claims: Path, writes: list[str]) -> None:
    first = upload_archive(claims, ["claims.csv"], to)
    assert upload_archive(claims, ["claims.csv"], to) == first
    assert writes == [key_of(first)]


def test_source_files_lie_alone_below_their_hash(to: Destination, claims: Path) -> None:
    archive = upload_archive(claims, ["claims.csv"], to)
    uri = upload_sources(claims, ["claims.csv"], to)
    assert not archive.startswith(uri), "a processing job would download the archive too"
    assert objects(to, key_of(uri)) == {key_of(uri) + "claims.csv": b"policy_id\n1\n"}


@pytest.mark.parametrize("upload", [upload_archive, upload_sources])
def test_a_missing_source_file_is_named_and_nothing_goes_up(
    to: Destination, claims: Path, upload: Callable[[Path, list[str], Destination], str]
) -> None:
    with pytest.raises(UploadError, match=r"cannot read .*train\.py: No such file"):
        upload(claims, ["claims.csv", "train.py"], to)
    assert objects(to) == {}


def test_an_empty_prefix_is_the_bucket_itself(to: Destination, claims: Path) -> None:
    uri = upload_data(claims, Destination(to.session, BUCKET, ""))
    assert re.fullmatch(rf"s3://{BUCKET}/data/[0-9a-f]{{64}}/", uri)
