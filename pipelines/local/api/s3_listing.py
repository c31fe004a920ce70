"""S3's listings: which keys and common prefixes stand on a page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from pipelines.local.api.s3_call import S3Call, iso_date, quoted_etag, xml_response
from pipelines.local.api.wire import Response
from pipelines.local.api.xml_text import Members
from pipelines.local.errors import ServiceError
from pipelines.local.store import Objects, StoredObject

MAX_KEYS = 1000
NULL_VERSION = "null"


@dataclass(frozen=True)
class Page:
    """Some objects and common prefixes of a listing; last is set where there are more after it."""

    objects: Objects
    prefixes: list[str]
    last: str | None


def list_objects_v2(call: S3Call) -> Response:
    """ListObjectsV2."""
    token = call.request.query.get("continuation-token")
    start_after = call.query("start-after")
    page = _page(call, start_after if token is None else _from_token(token))
    encode = _encoder(call)
    return xml_response(
        "ListBucketResult",
        {
            **_common(call, page),
            "KeyCount": len(page.objects) + len(page.prefixes),
            "ContinuationToken": token,
            "NextContinuationToken": None if page.last is None else _to_token(page.last),
            "StartAfter": encode(start_after) if start_after else None,
        },
    )


def list_objects(call: S3Call) -> Response:
    """ListObjects, version 1; NextMarker only where there is a delimiter."""
    page = _page(call, call.query("marker"))
    encode = _encoder(call)
    next_marker = encode(page.last) if page.last is not None and call.query("delimiter") else None
    return xml_response(
        "ListBucketResult",
        {**_common(call, page), "Marker": encode(call.query("marker")), "NextMarker": next_marker},
    )


def list_object_versions(call: S3Call) -> Response:
    """ListObjectVersions: each object is its own and only version, `null` as in a bucket that never had versions."""
    page = _page(call, call.query("key-marker"))
    encode = _encoder(call)
    return xml_response(
        "ListVersionsResult",
        {
            **_common(call, page),
            "Contents": None,
            "Version": [
                {**_content(item, encode), "VersionId": NULL_VERSION, "IsLatest": True} for item in page.objects
            ],
            "KeyMarker": encode(call.query("key-marker")),
            "VersionIdMarker": call.query("version-id-marker"),
            "NextKeyMarker": None if page.last is None else encode(page.last),
            "NextVersionIdMarker": None if page.last is None else NULL_VERSION,
        },
    )


def _common(call: S3Call, page: Page) -> Members:
    encode = _encoder(call)
    delimiter = call.query("delimiter")
    return {
        "Name": call.bucket,
        "Prefix": encode(call.query("prefix")),
        "Delimiter": encode(delimiter) if delimiter else None,
        "MaxKeys": _max_keys(call),
        "EncodingType": call.query("encoding-type") or None,
        "IsTruncated": page.last is not None,
        "Contents": [_content(item, encode) for item in page.objects],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }


def _content(item: StoredObject, encode: Callable[[str], str]) -> Members:
    return {
        "Key": encode(item.key),
        "LastModified": iso_date(item.modified),
        "ETag": quoted_etag(item),
        "Size": item.size,
        "StorageClass": "STANDARD",
    }


def _page(call: S3Call, after: str) -> Page:
    """Take the first entries after a key or a common prefix; a common prefix counts as one entry."""
    size = _max_keys(call)
    objects: Objects = []
    prefixes: list[str] = []
    last = None
    for name, item in _entries(call, after):
        if len(objects) + len(prefixes) == size:
            return Page(objects, prefixes, last)
        last = name
        if item is None:
            prefixes.append(name)
        else:
            objects.append(item)
    return Page(objects, prefixes, None)


def _entries(call: S3Call, after: str) -> Iterator[tuple[str, StoredObject | None]]:
    """Yield the keys with their objects, and each common prefix once, with None."""
    prefix, delimiter = call.query("prefix"), call.query("delimiter")
    group = after if delimiter and after.endswith(delimiter) else None
    for item in call.store.list(call.bucket, prefix):
        if item.key.encode() <= after.encode() or (group and item.key.startswith(group)):
            continue
        head, found, _ = item.key.removeprefix(prefix).partition(delimiter) if delimiter else ("", "", "")
        if not found:
            yield item.key, item
        else:
            group = prefix + head + found
            yield group, None


def _max_keys(call: S3Call) -> int:
    text = call.query("max-keys", str(MAX_KEYS))
    if not text.isascii() or not text.isdigit():
        raise ServiceError("InvalidArgument", f"max-keys is {text!r}; give a whole number from 0 to {MAX_KEYS}")
    return min(int(text), MAX_KEYS)


def _encoder(call: S3Call) -> Callable[[str], str]:
    return quote if call.query("encoding-type") == "url" else str


def _to_token(last: str) -> str:
    return urlsafe_b64encode(last.encode()).decode()


def _from_token(token: str) -> str:
    try:
        return urlsafe_b64decode(token.encode()).decode()
    except (Base64Error, UnicodeError) as error:
        message = f"the continuation token {token!r} is none; take NextContinuationToken of the page before"
        raise ServiceError("InvalidArgument", message) from error
