"""What S3 knows of an object beside its bytes: content type and user metadata, kept outside the object tree."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Sidecar:
    """The content type and the user metadata that an object was stored with."""

    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class Sidecars:
    """A folder of sidecars, each under its object's key, time of change and size.

    So a sidecar belongs to one version of an object: it is there before that version appears, and a file that a person
    puts in the object's place has none.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, bucket: str, key: str, stat: os.stat_result) -> Path:
        version = f"{key}\0{stat.st_mtime_ns}\0{stat.st_size}"
        return self._root / bucket / f"{hashlib.sha256(version.encode()).hexdigest()}.json"

    def read(self, bucket: str, key: str, stat: os.stat_result) -> Sidecar:
        """Return the sidecar of an object's version; an empty one when it has none."""
        try:
            text = self._path(bucket, key, stat).read_text("utf-8")
        except FileNotFoundError:
            return Sidecar()
        return Sidecar(**json.loads(text))

    def write(self, bucket: str, key: str, stat: os.stat_result, sidecar: Sidecar) -> None:
        """Keep a sidecar, if there is anything in it."""
        if sidecar == Sidecar():
            return
        path = self._path(bucket, key, stat)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{secrets.token_hex(8)}")
        content = {"content_type": sidecar.content_type, "metadata": dict(sidecar.metadata)}
        try:
            temporary.write_text(json.dumps(content), "utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def remove(self, bucket: str, key: str, stat: os.stat_result) -> None:
        """Drop the sidecar of an object's version, if there is one."""
        self._path(bucket, key, stat).unlink(missing_ok=True)

    def remove_bucket(self, bucket: str) -> None:
        """Drop every sidecar of a bucket."""
        shutil.rmtree(self._root / bucket, ignore_errors=True)
