"""Tar archives of models, outputs and code."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from pipelines.local.containers.archives import BadArchive, left_out, pack, unpack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "code").mkdir(parents=True)
    (made / "empty").mkdir()
    (made / "code" / "inference.py").write_text("pass")
    (made / "run.sh").write_text("#!/bin/sh")
    (made / "run.sh").chmod(0o700)
    (made / "latest").symlink_to("code/inference.py")
    return made


def test_an_archive_gives_back_what_was_packed(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "a.tar.gz")
    unpack(tmp_path / "a.tar.gz", tmp_path / "back", "a.tar.gz")

    names = sorted(str(path.relative_to(tmp_path / "back")) for path in (tmp_path / "back").rglob("*"))
    assert names == ["code", "code/inference.py", "empty", "latest", "run.sh"]
    assert (tmp_path / "back" / "latest").read_text() == "pass"
    assert os.access(tmp_path / "back" / "run.sh", os.X_OK)
    assert not os.access(tmp_path / "back" / "code" / "inference.py", os.X_OK)


def test_the_same_content_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "one.tar.gz")
    os.utime(folder / "run.sh", (1, 1))
    (folder / "run.sh").chmod(0o755)
    pack(folder, tmp_path / "two.tar.gz")

    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


def test_links_that_lead_elsewhere_and_pipes_are_left_out(folder: Path, tmp_path: Path) -> None:
    (folder / "absolute").symlink_to("/etc/passwd")
    (folder / "outside").symlink_to("../../secret")
    os.mkfifo(folder / "pipe")

    pack(folder, tmp_path / "a.tar.gz")

    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        assert sorted(tar.getnames()) == ["code", "code/inference.py", "empty", "latest", "run.sh"]


def member(name: str, **attributes: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo(name)
        for attribute, value in attributes.items():
            setattr(info, attribute, value)
        tar.addfile(info)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        member("../escaped"),
        member("a/../../escaped"),
        member("link", type=tarfile.SYMTYPE, linkname="../../escaped"),
        member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("device", type=tarfile.CHRTYPE),
    ],
    ids=["parent", "hidden parent", "link", "absolute link", "device"],
)
def test_a_member_that_leaves_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.tar").write_bytes(content)

    with pytest.raises(BadArchive, match=r"^s3://bucket/bad.tar is refused: .* must stay in the folder"):
        unpack(tmp_path / "bad.tar", tmp_path / "deep" / "back", "s3://bucket/bad.tar")

    assert not list(tmp_path.rglob("escaped"))
    assert not list((tmp_path / "deep" / "back").iterdir())


@pytest.mark.parametrize("name", ["/tmp/absolute", "//absolute", "a/../b", "..", "a/.."])
def test_a_name_that_could_leave_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.tar").write_bytes(member(name))

    with pytest.raises(BadArchive, match=r"^bad.tar is refused: the name of member .* is absolute, or has '..' or NUL"):
        unpack(tmp_path / "bad.tar", tmp_path / "back", "bad.tar")

    assert not list((tmp_path / "back").iterdir())


HARD_LINK = {"type": tarfile.LNKTYPE, "linkname": "missing"}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("link", HARD_LINK)], "it has a link to what is not in it: linkname 'missing' not found"),
        ([("n" * 300, {})], "it has a member that cannot be written: [Errno 36] File name too long"),
        ([("a/b", {}), ("a", {})], "it has a member that cannot be written: [Errno 21] Is a directory"),
        ([("a", {}), ("a/b", {})], "it has a member that cannot be written: [Errno"),
    ],
    ids=["hard link", "long name", "file over a folder", "file as a folder"],
)
def test_a_member_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, members: list[tuple[str, dict[str, object]]], said: str
) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        for name, attributes in members:
            info = tarfile.TarInfo(name)
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            tar.addfile(info)

    with pytest.raises(BadArchive) as caught:
        unpack(tmp_path / "bad.tar", tmp_path / "back", "bad.tar")

    assert str(caught.value).startswith(f"bad.tar is refused: {said}")
    assert "\n" not in str(caught.value)


def test_an_archive_that_is_damaged_inside_is_told_apart(folder: Path, tmp_path: Path) -> None:
    (folder / "large").write_bytes(os.urandom(100_000))
    pack(folder, tmp_path / "a.tar.gz")
    damaged = bytearray((tmp_path / "a.tar.gz").read_bytes())
    damaged[20_000:80_000] = bytes(60_000)
    (tmp_path / "a.tar.gz").write_bytes(damaged)

    with pytest.raises(BadArchive, match=r"^damaged is not a whole tar archive: "):
        unpack(tmp_path / "a.tar.gz", tmp_path / "back", "damaged")


def test_what_an_archive_leaves_out_is_told(folder: Path) -> None:
    (folder / "absolute").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")

    assert left_out(folder) == [folder / "absolute", folder / "pipe"]


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b broken"])
def test_what_is_no_archive_is_told_apart(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").write_bytes(content)

    with pytest.raises(BadArchive, match=r"^bad is not a whole tar archive: "):
        unpack(tmp_path / "bad", tmp_path / "back", "bad")


def test_a_cut_archive_is_told_apart(folder: Path, tmp_path: Path) -> None:
    (folder / "large").write_bytes(os.urandom(100_000))
    pack(folder, tmp_path / "a.tar.gz")
    (tmp_path / "cut.tar.gz").write_bytes((tmp_path / "a.tar.gz").read_bytes()[:50_000])

    with pytest.raises(BadArchive, match=r"^cut is not a whole tar archive: "):
        unpack(tmp_path / "cut.tar.gz", tmp_path / "back", "cut")
