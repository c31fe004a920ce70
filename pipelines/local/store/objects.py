"""S3 as a folder: every object is a file at root/<bucket>/<key>, and every file there is an object."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from io import BufferedReader
from pathlib import Path

from pipelines.local.errors import LocalError, ServiceError
from pipelines.local.store.files import files_below, refusing, remove_empty_folders, status_of
from pipelines.local.store.keys import (
    check_bucket_name,
    check_key,
    is_bucket_name,
    is_unicode,
    no_such_bucket,
    no_such_key,
    parse_uri,
)
from pipelines.local.store.placement import check_place, object_status, place, prune
from pipelines.local.store.sidecars import Sidecar, Sidecars
from pipelines.local.store.staging import Etags, Readable, Staging

__all__ = ["Bucket", "Objects", "Readable", "Store", "StoredObject", "parse_uri"]


@dataclass(frozen=True)
class Bucket:
    """A bucket; created is in seconds since the epoch."""

    name: str
    created: float


@dataclass(frozen=True)
class StoredObject:
    """What is known of an object; size is in bytes, modified in seconds since the epoch.

    A listing has no content types and no metadata; `head` has them.
    """

    bucket: str
    key: str
    size: int
    modified: float
    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    compute_etag: Callable[[], str] = field(kw_only=True, repr=False, compare=False)

    @cached_property
    def etag(self) -> str:
        """The MD5 of the content, in hexadecimal digits, computed when it is first asked for."""
        with refusing(f"read s3://{self.bucket}/{self.key}"):
            return self.compute_etag()


Objects = list[StoredObject]


class Store:
    """Buckets and objects in a folder that threads and processes may share.

    An object appears whole or not at all: it is written to a temporary file beside the folder and renamed into place.
    Symbolic links in the folder are not objects, and no key leads through one.
    """

    def __init__(self, root: Path) -> None:
        try:
            root.mkdir(parents=True, exist_ok=True)
            self.root = root.resolve()
            self._etags = Etags()
            self.staging = Staging(self.root.parent / "tmp", self._etags)
        except OSError as error:
            reason = f"cannot keep objects in {root}: {error.strerror}"
            raise LocalError(f"{reason}; use a root folder that this user may write to") from error
        self._sidecars = Sidecars(self.root.parent / "s3-metadata")

    def create_bucket(self, bucket: str) -> None:
        """Make a bucket.

        Raises:
            ServiceError: InvalidBucketName, or BucketAlreadyOwnedByYou.
        """
        check_bucket_name(bucket)
        with refusing(f"create the bucket {bucket}"):
            try:
                (self.root / bucket).mkdir()
            except FileExistsError as error:
                message = f"the bucket {bucket} exists already, and it is yours"
                raise ServiceError("BucketAlreadyOwnedByYou", message, status=409) from error

    def delete_bucket(self, bucket: str) -> None:
        """Remove an empty bucket.

        Raises:
            ServiceError: NoSuchBucket, or BucketNotEmpty.
        """
        folder = self._bucket(bucket)
        with refusing(f"delete the bucket {bucket}"):
            if not remove_empty_folders(folder):
                message = f"the bucket {bucket} is not empty; delete what is in {folder} first"
                raise ServiceError("BucketNotEmpty", message, status=409)
            self._sidecars.remove_bucket(bucket)

    def has_bucket(self, bucket: str) -> bool:
        """Say whether there is such a bucket."""
        path = self.root / bucket
        return is_bucket_name(bucket) and path.is_dir() and not path.is_symlink()

    def buckets(self) -> list[Bucket]:
        """Return the buckets, by name; created is the last time that a name in the bucket's top folder changed."""
        with refusing("list the buckets"), os.scandir(self.root) as entries:
            found = [
                Bucket(entry.name, entry.stat().st_mtime)
                for entry in entries
                if is_bucket_name(entry.name) and entry.is_dir(follow_symlinks=False)
            ]
        return sorted(found, key=lambda bucket: bucket.name)

    def put(
        self,
        bucket: str,
        key: str,
        source: bytes | Readable | Path,
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> StoredObject:
        """Store an object in place of what the key held.

        Raises:
            ServiceError: NoSuchBucket; a key that cannot be a file here; no space or no right.
        """
        folder = self._bucket(bucket)
        check_key(key)
        with refusing(f"write s3://{bucket}/{key}"):
            check_place(folder, key)
            temporary = self.staging.stage(source)
            try:
                return self._publish(temporary, bucket, key, Sidecar(content_type, metadata or {}))
            finally:
                temporary.unlink(missing_ok=True)

    def fetch(self, bucket: str, key: str) -> tuple[StoredObject, BufferedReader]:
        """Return an object and its content, which stays as it is while others replace the object.

        Its ETag can be asked for as long as the content is open.

        Raises:
            ServiceError: NoSuchBucket, or NoSuchKey.
        """
        self._find(bucket, key)
        with refusing(f"read s3://{bucket}/{key}"):
            try:
                content = (self.root / bucket / key).open("rb")
            except FileNotFoundError as error:
                raise no_such_key(bucket, key) from error
        status = os.fstat(content.fileno())
        return self._describe(bucket, key, status, partial(self._etags.of_file, content)), content

    def open(self, bucket: str, key: str) -> BufferedReader:
        """Return an object's content.

        Raises:
            ServiceError: NoSuchBucket, or NoSuchKey.
        """
        return self.fetch(bucket, key)[1]

    def head(self, bucket: str, key: str) -> StoredObject:
        """Return what is known of an object.

        Raises:
            ServiceError: NoSuchBucket, or NoSuchKey.
        """
        status = self._find(bucket, key)
        return self._describe(bucket, key, status, partial(self._etags.of_path, self.root / bucket / key))

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object, if there is one, and the folders that it leaves empty.

        Raises:
            ServiceError: NoSuchBucket.
        """
        folder = self._bucket(bucket)
        check_key(key)
        with refusing(f"delete s3://{bucket}/{key}"):
            status = object_status(folder / key)
            if status is not None:
                (folder / key).unlink(missing_ok=True)
                self._sidecars.remove(bucket, key, status)
                prune(folder, key)

    def list(self, bucket: str, prefix: str = "") -> Objects:
        """Return the objects whose keys begin with a prefix, in UTF-8 byte order of their keys.

        Raises:
            ServiceError: NoSuchBucket.
        """
        folder = self._bucket(bucket)
        found = []
        with refusing(f"list s3://{bucket}/{prefix}"):
            for key, path in files_below(folder, prefix):
                status = status_of(path)
                if status is not None and is_unicode(key):
                    etag = partial(self._etags.of_path, path)
                    found.append(StoredObject(bucket, key, status.st_size, status.st_mtime, compute_etag=etag))
        return sorted(found, key=lambda item: item.key.encode())

    def download(self, uri: str, folder: Path) -> int:
        """Copy every object whose URI begins with a prefix into a folder; return how many.

        As SageMaker's S3Prefix does: names are relative to the prefix, and an object named in full keeps its last name.

        Raises:
            ServiceError: NoSuchBucket; NoSuchKey when nothing matches; no space or no right.
        """
        bucket, prefix = parse_uri(uri)
        found = self.list(bucket, prefix)
        if not found:
            message = f"no object matches {uri}; upload it first, or look for it in {self.root / bucket}"
            raise ServiceError("NoSuchKey", message, status=404)
        for item in found:
            destination = folder / relative_name(item.key, prefix)
            with refusing(f"copy s3://{bucket}/{item.key} to {destination}"):
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.root / bucket / item.key, destination)
        return len(found)

    def upload(self, folder: Path, uri: str) -> int:
        """Store a folder's files below a URI, symbolic links left out; return how many.

        The bucket is made when it is missing. No object appears before every file is copied.

        Raises:
            ServiceError: a file name that cannot be a key; no space or no right.
        """
        bucket, prefix = parse_uri(uri)
        parent = f"{prefix.removesuffix('/')}/" if prefix else ""
        staged: dict[str, Path] = {}
        with refusing(f"write {folder} to {uri}"):
            files = {parent + name: path for name, path in files_below(folder)}
            self._ensure_bucket(bucket)
            for key in files:
                check_key(key)
                check_place(self.root / bucket, key)
            try:
                for key, path in files.items():
                    staged[key] = self.staging.stage(path)
                for key, temporary in staged.items():
                    self._publish(temporary, bucket, key, Sidecar())
            finally:
                for temporary in staged.values():
                    temporary.unlink(missing_ok=True)
        return len(files)

    def upload_file(self, file: Path, uri: str) -> None:
        """Store a file under a URI; the bucket is made when it is missing.

        Raises:
            ServiceError: a key that cannot be a file here; no space or no right.
        """
        bucket, key = parse_uri(uri)
        check_key(key)
        with refusing(f"write {file} to {uri}"):
            self._ensure_bucket(bucket)
        self.put(bucket, key, file)

    def _ensure_bucket(self, bucket: str) -> None:
        if not self.has_bucket(bucket):
            check_bucket_name(bucket)
            (self.root / bucket).mkdir(exist_ok=True)

    def _bucket(self, bucket: str) -> Path:
        if not self.has_bucket(bucket):
            raise no_such_bucket(bucket)
        return self.root / bucket

    def _find(self, bucket: str, key: str) -> os.stat_result:
        folder = self._bucket(bucket)
        check_key(key)
        with refusing(f"read s3://{bucket}/{key}"):
            status = object_status(folder / key)
        if status is None:
            raise no_such_key(bucket, key)
        return status

    def _describe(self, bucket: str, key: str, status: os.stat_result, compute_etag: Callable[[], str]) -> StoredObject:
        sidecar = self._sidecars.read(bucket, key, status)
        return StoredObject(
            bucket,
            key,
            status.st_size,
            status.st_mtime,
            sidecar.content_type,
            sidecar.metadata,
            compute_etag=compute_etag,
        )

    def _publish(self, temporary: Path, bucket: str, key: str, sidecar: Sidecar) -> StoredObject:
        folder = self.root / bucket
        status = temporary.stat()
        replaced = status_of(folder / key)
        self._sidecars.write(bucket, key, status, sidecar)
        try:
            place(temporary, folder, key)
        except BaseException:
            self._sidecars.remove(bucket, key, status)
            prune(folder, key)
            raise
        if replaced is not None:
            self._sidecars.remove(bucket, key, replaced)
        return self._describe(bucket, key, status, partial(self._etags.of_version, folder / key, status))


def relative_name(key: str, prefix: str) -> str:
    """Return a key's name below an S3Prefix; an object named in full keeps its last name."""
    rest = key.removeprefix(prefix)
    if not prefix or prefix.endswith("/") or rest.startswith("/"):
        return rest.lstrip("/")
    return prefix.rpartition("/")[2] + rest
