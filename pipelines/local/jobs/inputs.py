"""What jobs read from S3, and where it goes."""

import json
import shutil
from pathlib import Path
from typing import Any

from pipelines.local.errors import ServiceError
from pipelines.local.jobs.workspace import JobFailure
from pipelines.local.store import Store
from pipelines.local.store.files import refusing
from pipelines.local.store.keys import check_key, parse_uri

WROTE_NOTHING = "; if a step or a job should have written it, that one wrote nothing there: see its log"


def download(store: Store, name: str, uri: str, data_type: str, folder: Path) -> None:
    """Copy what an S3Prefix or a ManifestFile names into a folder; `name` is what messages call the input.

    Raises:
        JobFailure: there is nothing, or it cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if data_type == "ManifestFile":
            download_manifest(store, uri, folder)
        else:
            store.download(uri, folder)
    except ServiceError as error:
        reason = f"ClientError: Data download failed: {name}: {error.message}"
        raise JobFailure(reason + (WROTE_NOTHING if error.code in ("NoSuchBucket", "NoSuchKey") else "")) from error


def download_manifest(store: Store, uri: str, folder: Path) -> None:
    """Copy the objects that a manifest lists, under their names there."""
    prefix, names = read_manifest(store, uri)
    for name in names:
        bucket, key = parse_uri(prefix + name)
        check_key(name)
        target = folder / name
        with store.open(bucket, key) as source, refusing(f"copy {prefix + name} to {target}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as copy:
                shutil.copyfileobj(source, copy)


def read_manifest(store: Store, uri: str) -> tuple[str, list[str]]:
    """Return the prefix and the names of a manifest: `[{"prefix": "s3://..."}, "name", ...]`."""
    with store.open(*parse_uri(uri)) as stream:
        content = stream.read()
    try:
        manifest: Any = json.loads(content)
    except ValueError as error:
        raise JobFailure(f"ClientError: Data download failed: the manifest {uri} is not JSON: {error}") from error
    names = manifest[1:] if isinstance(manifest, list) else []
    prefix = manifest[0].get("prefix") if names and isinstance(manifest[0], dict) else None
    if not isinstance(prefix, str) or not all(isinstance(name, str) for name in names):
        expected = '[{"prefix": "s3://<bucket>/<prefix>/"}, "<name>", ...]'
        raise JobFailure(f"ClientError: Data download failed: the manifest {uri} must look like {expected}")
    return prefix, names
