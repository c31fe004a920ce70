"""Multipart uploads: parts on disk beside the store, until they become one object."""

import json
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.local.errors import ServiceError
from pipelines.local.store.files import refusing
from pipelines.local.store.keys import check_key, no_such_bucket
from pipelines.local.store.objects import Store, StoredObject
from pipelines.local.store.placement import check_place
from pipelines.local.store.staging import BLOCK_BYTES, Readable

UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
MIN_PART_BYTES = 5 * 1024 * 1024
MAX_PARTS = 10_000


@dataclass(frozen=True)
class Part:
    """A part that the client says it uploaded."""

    number: int
    etag: str


class Uploads:
    """The multipart uploads of a store; they are files, so any process may go on with them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self, bucket: str, key: str, *, content_type: str | None = None, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Begin an upload and return its id.

        Raises:
            ServiceError: NoSuchBucket; a key that cannot be a file here; no space or no right.
        """
        if not self._store.has_bucket(bucket):
            raise no_such_bucket(bucket)
        check_key(key)
        upload_id = secrets.token_hex(16)
        target = {"bucket": bucket, "key": key, "content_type": content_type, "metadata": dict(metadata or {})}
        with refusing(f"begin an upload to s3://{bucket}/{key}"):
            check_place(self._store.root / bucket, key)
            folder = self._folder(upload_id)
            folder.mkdir(parents=True)
            (folder / "target.json").write_text(json.dumps(target), "utf-8")
        return upload_id

    def add(self, bucket: str, key: str, part: tuple[str, int], source: bytes | Readable | Path) -> str:
        """Keep a part, given as upload id and number, in place of an earlier one; return its ETag.

        Raises:
            ServiceError: NoSuchUpload, or InvalidArgument for a number out of 1 to 10000; no space or no right.
        """
        upload_id, number = part
        self._target(bucket, key, upload_id)
        if not 1 <= number <= MAX_PARTS:
            raise ServiceError("InvalidArgument", f"the part number {number} is not between 1 and {MAX_PARTS}")
        with refusing(f"write part {number} of s3://{bucket}/{key}"):
            staged = self._store.staging.stage(source)
            try:
                etag = self._store.staging.etag(staged)
                earlier = set(self._folder(upload_id).glob(f"{number}-*"))
                path = self._folder(upload_id) / f"{number}-{etag}"
                staged.replace(path)
            finally:
                staged.unlink(missing_ok=True)
            for other in earlier - {path}:
                other.unlink(missing_ok=True)
        return etag

    def complete(self, bucket: str, key: str, upload_id: str, parts: Sequence[Part]) -> StoredObject:
        """Make one object of the parts.

        Raises:
            ServiceError: NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, MalformedXML; or as `Store.put`.
        """
        target = self._target(bucket, key, upload_id)
        paths = self._checked(upload_id, parts)
        stored = self._store.put(
            bucket, key, _Joined(paths), content_type=target["content_type"], metadata=target["metadata"]
        )
        self.abort(bucket, key, upload_id)
        return stored

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """Drop an upload and its parts.

        Raises:
            ServiceError: NoSuchUpload.
        """
        self._target(bucket, key, upload_id)
        with refusing(f"drop an upload to s3://{bucket}/{key}"):
            shutil.rmtree(self._folder(upload_id))

    def _folder(self, upload_id: str) -> Path:
        return self._store.staging.folder / f"upload-{upload_id}"

    def _target(self, bucket: str, key: str, upload_id: str) -> dict[str, Any]:
        missing = ServiceError(
            "NoSuchUpload",
            f"there is no upload {upload_id!r} to s3://{bucket}/{key}; it ended or never began",
            status=404,
        )
        if not UPLOAD_ID.fullmatch(upload_id):
            raise missing
        try:
            target: dict[str, Any] = json.loads((self._folder(upload_id) / "target.json").read_text("utf-8"))
        except FileNotFoundError as error:
            raise missing from error
        if (target["bucket"], target["key"]) != (bucket, key):
            raise missing
        return target

    def _checked(self, upload_id: str, parts: Sequence[Part]) -> list[Path]:
        numbers = [part.number for part in parts]
        if not parts:
            raise ServiceError("MalformedXML", "an upload is completed with the list of its parts, which is empty")
        if numbers != sorted(set(numbers)):
            raise ServiceError("InvalidPartOrder", f"the parts are not in ascending order: {numbers}")
        paths = [self._folder(upload_id) / f"{part.number}-{part.etag}" for part in parts]
        for part, path in zip(parts, paths, strict=True):
            if not re.fullmatch(r"[0-9a-f]{32}", part.etag) or not path.is_file():
                message = f"part {part.number} with the ETag {part.etag!r} was not uploaded, or was replaced"
                raise ServiceError("InvalidPart", message)
        for part, path in zip(parts[:-1], paths[:-1], strict=True):
            if path.stat().st_size < MIN_PART_BYTES:
                message = f"part {part.number} is smaller than {MIN_PART_BYTES} bytes, as only the last part may be"
                raise ServiceError("EntityTooSmall", message)
        return paths


class _Joined:
    """The content of files, one after the other."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._blocks = _blocks(paths)

    def read(self, size: int = -1, /) -> bytes:
        """Return the next block, whatever its size."""
        return next(self._blocks, b"")


def _blocks(paths: Sequence[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            yield from iter(lambda: file.read(BLOCK_BYTES), b"")
