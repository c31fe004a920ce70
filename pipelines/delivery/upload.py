"""Uploads under the hash of their content: what is the same goes up once, and its address never changes meaning."""

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from pipelines.delivery.errors import UploadError

ARCHIVE = "sourcedir.tar.gz"


@dataclass(frozen=True)
class Destination:
    """Where uploads go: `s3://<bucket>/<prefix>/`, reached through one session."""

    session: boto3.Session
    bucket: str
    prefix: str

    @cached_property
    def client(self) -> Any:
        """The session's S3 client."""
        return self.session.client("s3")

    def folder(self, kind: str, digest: str) -> str:
        """Return the key prefix of one content, with a closing slash, so that it matches nothing else."""
        return f"{self.prefix.strip('/')}/{kind}/{digest}/".removeprefix("/")

    def uri(self, key: str) -> str:
        """Return the S3 URI of a key."""
        return f"s3://{self.bucket}/{key}"


@dataclass(frozen=True)
class _Source:
    """One file as it was when it was hashed."""

    name: str
    path: Path
    digest: bytes
    size: int
    modified: int


def upload_archive(folder: Path, names: Sequence[str], to: Destination) -> str:
    """Upload source files as one reproducible archive, the form that training jobs take, and return its URI."""
    sources = _read((name, folder / name) for name in names)
    key = to.folder("code", _digest(sources, form=ARCHIVE)) + ARCHIVE
    if key not in _sizes(to, key):
        to.client.put_object(Bucket=to.bucket, Key=key, Body=_archive(sources))
    return to.uri(key)


def upload_sources(folder: Path, names: Sequence[str], to: Destination) -> str:
    """Upload source files as they are, the form that processing jobs take, and return their common S3 prefix."""
    return _upload(_read((name, folder / name) for name in names), "code", to)


def hash_sources(folder: Path, names: Sequence[str]) -> str:
    """Return the hash of source files, by which an upload of just these files is called."""
    return _digest(_read((name, folder / name) for name in names), form="files")


def upload_data(folder: Path, to: Destination) -> str:
    """Upload a folder of input data and return its S3 prefix, which depends on names and contents alone.

    Hidden files stay behind. The prefix holds the data and nothing else, since jobs download all of it; so there is
    no marker of a finished upload, and one that was cut off is completed by comparing every object.
    """
    if not folder.is_dir():
        raise UploadError(f"{folder} is not a folder: give the folder that holds the input files")
    sources = _read((path.relative_to(folder).as_posix(), path) for path in _visible_files(folder))
    if not sources:
        raise UploadError(f"{folder} holds no files (hidden ones do not count): put the input files there")
    return _upload(sources, "data", to)


def _visible_files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def _refuse(error: OSError) -> None:
    raise UploadError(f"cannot read {error.filename}: {error.strerror}") from error


def _read(files: Iterable[tuple[str, Path]]) -> list[_Source]:
    return sorted((_source(name, path) for name, path in files), key=lambda source: source.name)


def _source(name: str, path: Path) -> _Source:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise UploadError(f"the name of {str(path)!r} is not valid UTF-8, as S3 keys must be: rename it") from error
    if path.exists() and not path.is_file():
        raise UploadError(f"{path} is not a regular file: only files can be uploaded")
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise UploadError(f"cannot read {path}: {error.strerror}") from error
    return _Source(name, path, digest, state.st_size, state.st_mtime_ns)


def _digest(sources: Sequence[_Source], form: str) -> str:
    total = hashlib.sha256(form.encode())
    for source in sources:
        total.update(b"\0" + source.name.encode() + b"\0" + source.digest)
    return total.hexdigest()


def _archive(sources: Sequence[_Source]) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for source in sources:
            # A fresh TarInfo carries no owner, time or permission of this machine.
            entry = tarfile.TarInfo(source.name)
            entry.size = source.size
            with source.path.open("rb") as file:
                archive.addfile(entry, file)
    return packed.getvalue()


def _upload(sources: Sequence[_Source], kind: str, to: Destination) -> str:
    folder = to.folder(kind, _digest(sources, form="files"))
    present = _sizes(to, folder)
    for source in sources:
        if present.get(folder + source.name) != source.size:
            _upload_file(source, folder + source.name, to)
    return to.uri(folder)


def _upload_file(source: _Source, key: str, to: Destination) -> None:
    to.client.upload_file(str(source.path), to.bucket, key)
    state = source.path.stat()
    if (state.st_size, state.st_mtime_ns) != (source.size, source.modified):
        to.client.delete_object(Bucket=to.bucket, Key=key)
        raise UploadError(f"{source.path} changed while it was uploaded: run again when nothing writes to it")


def _sizes(to: Destination, prefix: str) -> dict[str, int]:
    pages = to.client.get_paginator("list_objects_v2").paginate(Bucket=to.bucket, Prefix=prefix)
    return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", ())}
