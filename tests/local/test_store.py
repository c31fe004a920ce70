"""The store: a folder that is S3, whole objects only, and nothing outside it."""

import hashlib
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.local.errors import LocalError, ServiceError
from pipelines.local.store import Store, StoredObject, parse_uri
from pipelines.local.store.staging import LEFTOVER_SECONDS
from tests.unprivileged import unprivileged_folder

BAD_KEYS = ["../x", "a/../../x", "..", "/etc/passwd", "", "a//b", "a/", "./a", "a/./b", "a\0b", "\ud800"]
Snapshot = dict[str, bytes | None]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "root" / "s3")
    store.create_bucket("bucket")
    return store


def snapshot(folder: Path) -> Snapshot:
    """Every path below a folder, with the content of the files."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refused(action: Callable[[], object], code: str) -> str:
    """The one-line message with which an action is refused."""
    with pytest.raises(ServiceError) as caught:
        action()
    assert caught.value.code == code
    assert "\n" not in caught.value.message
    return caught.value.message


def read(store: Store, key: str) -> bytes:
    with store.open("bucket", key) as content:
        return content.read()


def keys(store: Store, prefix: str = "") -> list[str]:
    return [item.key for item in store.list("bucket", prefix)]


@pytest.mark.parametrize("source", [b"content", BytesIO(b"content"), "path"], ids=["bytes", "stream", "path"])
def test_an_object_reads_back_as_it_was_put(store: Store, tmp_path: Path, source: bytes | BytesIO | str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    stored = store.put("bucket", "a/b", file if isinstance(source, str) else source)
    found = store.head("bucket", "a/b")
    assert read(store, "a/b") == b"content"
    assert stored == found == StoredObject("bucket", "a/b", 7, found.modified, compute_etag=str)
    assert stored.etag == found.etag == hashlib.md5(b"content").hexdigest()


def test_an_object_keeps_its_content_type_and_metadata_outside_the_tree(store: Store) -> None:
    store.put("bucket", "a", b"1", content_type="text/csv", metadata={"owner": "me"})
    found = store.head("bucket", "a")
    assert (found.content_type, found.metadata) == ("text/csv", {"owner": "me"})
    assert [path.name for path in store.root.rglob("*")] == ["bucket", "a"]


def test_metadata_goes_with_the_object_that_is_replaced_or_deleted(store: Store) -> None:
    sidecars = store.root.parent / "s3-metadata" / "bucket"
    store.put("bucket", "a", b"1", metadata={"v": "1"})
    store.put("bucket", "a", b"2", metadata={"v": "2"})
    assert store.head("bucket", "a").metadata == {"v": "2"}
    assert len(list(sidecars.iterdir())) == 1
    store.delete("bucket", "a")
    assert list(sidecars.iterdir()) == []
    store.put("bucket", "a", b"3")
    assert store.head("bucket", "a").metadata == {}


def test_files_put_in_by_hand_are_objects(store: Store) -> None:
    (store.root / "by-hand" / "a").mkdir(parents=True)
    (store.root / "by-hand" / "a" / "b.csv").write_text("1,2")
    assert [bucket.name for bucket in store.buckets()] == ["bucket", "by-hand"]
    assert [item.key for item in store.list("by-hand")] == ["a/b.csv"]
    assert store.head("by-hand", "a/b.csv").etag == hashlib.md5(b"1,2").hexdigest()


def test_a_file_changed_by_hand_loses_the_metadata_and_the_etag_of_the_old_one(store: Store) -> None:
    before = store.put("bucket", "a", b"old", metadata={"k": "v"})
    assert before.etag == hashlib.md5(b"old").hexdigest()
    (store.root / "bucket" / "a").write_bytes(b"newer")
    after = store.head("bucket", "a")
    assert (after.metadata, after.size, after.etag) == ({}, 5, hashlib.md5(b"newer").hexdigest())


def test_folders_whose_names_are_no_bucket_names_are_no_buckets(store: Store) -> None:
    (store.root / "Not_A_Bucket").mkdir()
    assert [bucket.name for bucket in store.buckets()] == ["bucket"]
    refused(lambda: store.list("Not_A_Bucket"), "NoSuchBucket")


@pytest.mark.parametrize("name", ["", "..", "a", "a/b", "../other", "UPPER", "under_score", "a..b", "-a-", "x" * 64])
def test_a_name_that_is_no_bucket_name_is_refused(store: Store, name: str) -> None:
    before = snapshot(store.root.parent)
    message = refused(lambda: store.create_bucket(name), "InvalidBucketName")
    assert repr(name) in message
    assert snapshot(store.root.parent) == before


def test_a_bucket_is_created_once_and_deleted_when_empty(store: Store) -> None:
    refused(lambda: store.create_bucket("bucket"), "BucketAlreadyOwnedByYou")
    store.put("bucket", "a/b", b"1")
    refused(lambda: store.delete_bucket("bucket"), "BucketNotEmpty")
    assert read(store, "a/b") == b"1"
    store.delete("bucket", "a/b")
    store.delete_bucket("bucket")
    assert not store.has_bucket("bucket")
    refused(lambda: store.delete_bucket("bucket"), "NoSuchBucket")


def test_a_bucket_of_empty_folders_is_empty(store: Store) -> None:
    (store.root / "bucket" / "a" / "b").mkdir(parents=True)
    store.delete_bucket("bucket")
    assert not store.has_bucket("bucket")


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_leaves_its_folder_is_refused_and_nothing_is_written(store: Store, key: str) -> None:
    before = snapshot(store.root.parent.parent)
    for action in (
        lambda: store.put("bucket", key, b"x"),
        lambda: store.open("bucket", key),
        lambda: store.head("bucket", key),
        lambda: store.delete("bucket", key),
        lambda: store.upload_file(Path(__file__), f"s3://bucket/{key}"),
    ):
        assert repr(key) in refused(action, "InvalidArgument")
    assert snapshot(store.root.parent.parent) == before


@pytest.mark.parametrize("key", ["x" * 256, "x/" * 512 + "x"])
def test_a_key_that_is_too_long_is_refused(store: Store, key: str) -> None:
    before = snapshot(store.root.parent)
    refused(lambda: store.put("bucket", key, b"x"), "KeyTooLongError")
    assert snapshot(store.root.parent) == before


@pytest.mark.parametrize(("first", "second"), [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a/b"), ("a/b", "a/b/c/d")])
def test_a_key_in_the_way_of_another_is_refused_and_both_are_named(store: Store, first: str, second: str) -> None:
    store.put("bucket", first, b"1", metadata={"k": "v"})
    before = snapshot(store.root.parent)
    message = refused(lambda: store.put("bucket", second, b"2", metadata={"k": "w"}), "InvalidArgument")
    assert repr(second) in message
    assert snapshot(store.root.parent) == before


def test_a_key_may_take_the_place_of_folders_that_hold_nothing(store: Store) -> None:
    (store.root / "bucket" / "a" / "b").mkdir(parents=True)
    store.put("bucket", "a", b"1")
    assert read(store, "a") == b"1"


def test_a_deleted_object_leaves_no_folders(store: Store) -> None:
    store.put("bucket", "a/b/c", b"1")
    store.put("bucket", "a/d", b"1")
    store.delete("bucket", "a/b/c")
    assert sorted(path.name for path in (store.root / "bucket").rglob("*")) == ["a", "d"]
    store.delete("bucket", "a/b/c")
    store.delete("bucket", "a")
    assert keys(store) == ["a/d"]


def test_symbolic_links_are_no_objects_and_lead_nowhere(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    bucket = store.root / "bucket"
    (bucket / "link").symlink_to(outside)
    (bucket / "file").symlink_to(outside / "secret")
    (store.root / "linked-bucket").symlink_to(outside)
    before = snapshot(outside)
    assert keys(store) == []
    assert [item.name for item in store.buckets()] == ["bucket"]
    for key in ("link/secret", "file"):
        refused(lambda key=key: store.open("bucket", key), "NoSuchKey")  # type: ignore[misc]
    store.delete("bucket", "link/secret")
    assert "symbolic link" in refused(lambda: store.put("bucket", "link/new", b"x"), "InvalidArgument")
    refused(lambda: store.put("linked-bucket", "new", b"x"), "NoSuchBucket")
    store.put("bucket", "file", b"mine")
    assert snapshot(outside) == before
    assert read(store, "file") == b"mine"


def test_a_pipe_in_the_folder_is_no_object(store: Store) -> None:
    os.mkfifo(store.root / "bucket" / "pipe")
    assert keys(store) == []
    refused(lambda: store.open("bucket", "pipe"), "NoSuchKey")


def test_file_names_that_are_no_unicode_are_no_objects(store: Store) -> None:
    (store.root / "bucket" / os.fsdecode(b"\xff")).write_text("x")
    assert keys(store) == []


def test_keys_are_listed_in_byte_order_by_prefix(store: Store) -> None:
    names = ["b", "a/1", "a0", "a", "é", "Z", "\U0001f600", "\uffee", "data/x/1", "data-x"]
    for name in names:
        if name != "a":
            store.put("bucket", name, b"")
    names.remove("a")
    assert keys(store) == sorted(names, key=str.encode)
    assert keys(store, "a") == ["a/1", "a0"]
    assert keys(store, "data/x") == keys(store, "data/x/") == ["data/x/1"]
    for nothing in ("../", "/", "a//", "./a", "data/x/1/2"):
        assert keys(store, nothing) == []


KEY_PART = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda part: part not in {".", ".."}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(key=st.lists(KEY_PART, min_size=1, max_size=4).map("/".join), content=st.binary(max_size=100))
def test_any_key_of_non_empty_parts_round_trips(store: Store, key: str, content: bytes) -> None:
    store.put("bucket", key, content)
    assert read(store, key) == content
    assert keys(store) == keys(store, key) == [key]
    store.delete("bucket", key)
    assert list((store.root / "bucket").iterdir()) == []


def test_an_s3_uri_is_taken_apart() -> None:
    assert parse_uri("s3://bucket/a/b c") == ("bucket", "a/b c")
    assert parse_uri("s3://bucket") == parse_uri("s3://bucket/") == ("bucket", "")
    for wrong in ("bucket/a", "s3:///a", "http://bucket/a", ""):
        assert "s3://<bucket>/<key>" in refused(lambda wrong=wrong: parse_uri(wrong), "ValidationException")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("data/train", ["a.csv", "sub/b.csv", "train-2/c.csv"]),
        ("data/train/", ["a.csv", "sub/b.csv"]),
        ("data/train/a.csv", ["a.csv"]),
        ("data/tr", ["train-2/c.csv", "train/a.csv", "train/sub/b.csv"]),
        ("", ["data/test.csv", "data/train-2/c.csv", "data/train/a.csv", "data/train/sub/b.csv"]),
    ],
)
def test_a_prefix_is_downloaded_with_relative_names(
    store: Store, tmp_path: Path, prefix: str, expected: list[str]
) -> None:
    for key in ("data/train/a.csv", "data/train/sub/b.csv", "data/train-2/c.csv", "data/test.csv"):
        store.put("bucket", key, key.encode())
    folder = tmp_path / "folder"
    assert store.download(f"s3://bucket/{prefix}", folder) == len(expected)
    found = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert sorted(found) == expected
    assert all(content.endswith(name) for name, content in found.items())


def test_a_download_of_nothing_is_an_error_and_makes_no_folder(store: Store, tmp_path: Path) -> None:
    store.put("bucket", "data", b"1")
    assert "s3://bucket/date" in refused(lambda: store.download("s3://bucket/date", tmp_path / "to"), "NoSuchKey")
    refused(lambda: store.download("s3://missing/date", tmp_path / "to"), "NoSuchBucket")
    assert not (tmp_path / "to").exists()


def test_a_tree_is_uploaded_without_its_links_and_makes_the_bucket(store: Store, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub" / "empty").mkdir(parents=True)
    (tree / "a").write_text("a")
    (tree / "sub" / "é b").write_text("b")
    (tree / "link").symlink_to("/etc/passwd")
    (tree / "linked").symlink_to("/etc")
    os.mkfifo(tree / "pipe")
    assert store.upload(tree, "s3://new-bucket/out/") == 2
    assert [item.key for item in store.list("new-bucket")] == ["out/a", "out/sub/é b"]
    assert store.upload(tree, "s3://new-bucket") == 2
    store.upload_file(tree / "a", "s3://another-bucket/model.tar.gz")
    assert [item.key for item in store.list("another-bucket")] == ["model.tar.gz"]


def test_a_tree_with_a_name_that_cannot_be_a_key_is_not_uploaded_at_all(store: Store, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "good").write_text("a")
    (tree / os.fsdecode(b"bad\xff")).write_text("b")
    refused(lambda: store.upload(tree, "s3://bucket/out"), "InvalidArgument")
    assert keys(store) == []
    assert list(store.staging.folder.glob("*")) == []


def test_a_source_that_breaks_leaves_the_old_object_and_no_temporary_file(store: Store) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            block = super().read(10)
            if not block:
                raise ServiceError("IncompleteBody", "the body ended early")
            return block

    store.put("bucket", "a", b"old")
    before = snapshot(store.root.parent)
    refused(lambda: store.put("bucket", "a", Broken(b"x" * 100)), "IncompleteBody")
    assert snapshot(store.root.parent) == before


def test_a_file_that_is_being_read_stays_whole_while_it_is_replaced(store: Store) -> None:
    store.put("bucket", "a", b"old" * 1000)
    found, content = store.fetch("bucket", "a")
    with content:
        store.put("bucket", "a", b"new")
        assert found.etag == hashlib.md5(b"old" * 1000).hexdigest()
        assert content.read() == b"old" * 1000


def test_temporary_files_of_killed_processes_are_dropped_when_old(store: Store) -> None:
    folder = store.staging.folder
    folder.mkdir(exist_ok=True)
    (folder / "upload-old").mkdir()
    old = [folder / "object-old", folder / "upload-old" / "1-x", folder / "upload-old"]
    young, other = folder / "object-young", folder / "somebody-elses"
    for path in (*old[:2], young, other):
        path.write_text("x")
    for path in (*old, other):
        os.utime(path, times=(0, time.time() - LEFTOVER_SECONDS - 60))
    Store(store.root)
    assert sorted(folder.iterdir()) == [young, other]


def test_a_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for root in (tmp_path / "file", tmp_path / "file" / "s3"):
        with pytest.raises(LocalError, match=r"cannot keep objects in .*file"):
            Store(root)


def run_python(script: str, *arguments: str, limit_file_bytes: int | None = None) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if limit_file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_bytes, limit_file_bytes))

    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)


FILL = """
import sys
from pathlib import Path
from pipelines.local.errors import ServiceError
from pipelines.local.store import Store
store = Store(Path(sys.argv[1]))
for action in (
    lambda: store.put("bucket", "a", b"x" * 200_000),
    lambda: store.upload(Path(sys.argv[2]), "s3://bucket/tree"),
):
    try:
        action()
    except ServiceError as error:
        print(error.status, error.code, error.message)
"""


def test_a_disk_without_space_is_one_line_and_leaves_everything_as_it_was(store: Store, tmp_path: Path) -> None:
    store.put("bucket", "a", b"old")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "1-small").write_bytes(b"x")
    (tree / "2-large").write_bytes(b"x" * 200_000)
    before = snapshot(store.root.parent)
    done = run_python(FILL, str(store.root), str(tree), limit_file_bytes=100_000)
    lines = done.stdout.splitlines()
    assert (len(lines), done.stderr) == (2, "")
    assert lines[0].startswith("507 InternalError cannot write s3://bucket/a: File too large; free some space")
    assert lines[1].startswith(f"507 InternalError cannot write {tree} to s3://bucket/tree: File too large")
    assert snapshot(store.root.parent) == before


def test_a_folder_without_permission_is_one_line() -> None:
    with unprivileged_folder() as folder:
        store = Store(folder / "s3")
        store.create_bucket("bucket")
        store.put("bucket", "closed/a", b"1")
        (store.root / "bucket" / "closed").chmod(0o500)
        message = refused(lambda: store.put("bucket", "closed/b", b"2"), "AccessDenied")
        (store.root / "bucket" / "closed").chmod(0o700)
        assert message.startswith(
            f"cannot write s3://bucket/closed/b: Permission denied ({store.root}/bucket/closed/b)"
        )
        assert keys(store) == ["closed/a"]
        assert list(store.staging.folder.iterdir()) == []


WRITE_FOR_EVER = """
import itertools, sys
from pathlib import Path
from pipelines.local.store import Store
store = Store(Path(sys.argv[1]))
for turn in itertools.count():
    for key in ("a/b", "c"):
        store.put("bucket", key, bytes([turn % 256]) * 3_000_000, metadata={"turn": str(turn % 256)})
    print(turn, flush=True)
"""


@pytest.mark.parametrize("turns", [1, 2, 5])
def test_a_writer_killed_at_any_moment_leaves_whole_objects(store: Store, turns: int) -> None:
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(store.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(turns):
            writer.stdout.readline()
        writer.kill()
    assert keys(store) == ["a/b", "c"]
    for item in store.list("bucket"):
        found, file = store.fetch("bucket", item.key)
        with file:
            content = file.read()
        assert content == content[:1] * 3_000_000
        assert found.metadata == {"turn": str(content[0])}


def put_and_delete(root: str, own: int) -> int:
    """Write and delete objects of one key and of neighbours; the number of torn reads."""
    store, torn = Store(Path(root)), 0
    for turn in range(40):
        store.put("bucket", "deep/er/shared", bytes([own]) * 50_000)
        store.put("bucket", f"deep/er/{own}/{turn}", b"x")
        store.delete("bucket", f"deep/er/{own}/{turn}")
        store.list("bucket")
        try:
            content = read(store, "deep/er/shared")
        except ServiceError:
            continue
        torn += content != content[:1] * 50_000
        store.delete("bucket", "deep/er/shared")
    return torn


def test_processes_write_and_delete_side_by_side(store: Store) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(put_and_delete, [str(store.root)] * 3, range(3))) == [0, 0, 0]
    assert [path for path in store.root.parent.rglob("*") if path.is_file()] == []


def test_threads_write_and_delete_side_by_side(store: Store) -> None:
    torn: list[int] = []
    threads = [
        threading.Thread(target=lambda own=own: torn.append(put_and_delete(str(store.root), own))) for own in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torn == [0, 0, 0, 0]
