"""S3's operations on objects."""

import re
from dataclasses import replace

from pipelines.local.api.bodies import Content
from pipelines.local.api.s3_call import (
    METADATA_PREFIX,
    S3Call,
    empty_response,
    http_date,
    iso_date,
    quoted_etag,
    xml_response,
)
from pipelines.local.api.s3_copies import copy_source
from pipelines.local.api.s3_listing import NULL_VERSION
from pipelines.local.api.wire import Response, request_id, unanswered
from pipelines.local.api.xml_text import read_xml
from pipelines.local.errors import ServiceError
from pipelines.local.store import StoredObject
from pipelines.local.store.keys import no_such_bucket

DEFAULT_TYPE = "binary/octet-stream"
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
MAX_DELETED = 1000


def put_object(call: S3Call) -> Response:
    """PutObject; conditional writes are not answered."""
    for condition in ("if-match", "if-none-match"):
        if call.header(condition):
            raise unanswered("s3", f"PutObject with {condition}")
    stored = call.store.put(
        call.bucket,
        call.key,
        call.upload(),
        content_type=call.header("content-type"),
        metadata=call.metadata(),
    )
    return empty_response(headers={"etag": quoted_etag(stored)})


def get_object(call: S3Call) -> Response:
    """GetObject: the whole object or one range of it, read from its file as the client reads."""
    found, file = call.store.fetch(call.bucket, call.key)
    try:
        response = _describe(call, found)
        span = _span(call, found.size)
        file.seek(span.start)
    except BaseException:
        file.close()
        raise
    return replace(response, body=Content(file, len(span)))


def head_object(call: S3Call) -> Response:
    """HeadObject."""
    return _describe(call, call.store.head(call.bucket, call.key))


def delete_object(call: S3Call) -> Response:
    """DeleteObject; an object that is not there is deleted already."""
    call.store.delete(call.bucket, call.key)
    return empty_response(204)


def delete_objects(call: S3Call) -> Response:
    """DeleteObjects; each key has its own outcome."""
    request = read_xml(call.request.content())
    objects = request.findall("Object")
    keys = [element.findtext("Key", "") for element in objects]
    versions = {element.findtext("VersionId", NULL_VERSION) for element in objects} - {NULL_VERSION}
    if versions:
        raise unanswered("s3", f"DeleteObjects of the version {versions.pop()}, for there are no versions here")
    if not 1 <= len(keys) <= MAX_DELETED:
        raise ServiceError("MalformedXML", f"{len(keys)} keys to delete; give 1 to {MAX_DELETED} in one request")
    if not call.store.has_bucket(call.bucket):
        raise no_such_bucket(call.bucket)
    deleted, errors = [], []
    for key in keys:
        try:
            call.store.delete(call.bucket, key)
            deleted.append({"Key": key})
        except ServiceError as error:
            errors.append({"Key": key, "Code": error.code, "Message": error.message})
    quiet = request.findtext("Quiet") == "true"
    return xml_response("DeleteResult", {"Deleted": [] if quiet else deleted, "Error": errors})


def copy_object(call: S3Call) -> Response:
    """CopyObject; metadata comes along unless it is replaced."""
    replacing = call.header("x-amz-metadata-directive") == "REPLACE"
    source, file = copy_source(call)
    with file:
        if not replacing and (source.bucket, source.key) == (call.bucket, call.key):
            message = f"s3://{call.bucket}/{call.key} is copied to itself without a change; replace its metadata"
            raise ServiceError("InvalidRequest", message)
        stored = call.store.put(
            call.bucket,
            call.key,
            file,
            content_type=call.header("content-type") if replacing else source.content_type,
            metadata=call.metadata() if replacing else source.metadata,
        )
    return xml_response("CopyObjectResult", {"ETag": quoted_etag(stored), "LastModified": iso_date(stored.modified)})


def _describe(call: S3Call, found: StoredObject) -> Response:
    _check_match(call, found)
    span = _span(call, found.size)
    headers = {
        "accept-ranges": "bytes",
        "content-length": str(len(span)),
        "content-type": call.query("response-content-type") or found.content_type or DEFAULT_TYPE,
        "etag": quoted_etag(found),
        "last-modified": http_date(found.modified),
        "x-amz-request-id": request_id(),
        **{METADATA_PREFIX + name: value for name, value in found.metadata.items()},
    }
    if not _is_range(call):
        return Response(200, headers)
    return Response(206, {**headers, "content-range": f"bytes {span.start}-{span.stop - 1}/{found.size}"})


def _check_match(call: S3Call, found: StoredObject) -> None:
    wanted = call.header("if-match")
    if wanted and wanted not in {"*", found.etag, quoted_etag(found)}:
        message = f"s3://{call.bucket}/{call.key} has the ETag {quoted_etag(found)}, not {wanted}"
        raise ServiceError("PreconditionFailed", message, status=412)


def _is_range(call: S3Call) -> bool:
    """Say whether the request asks for one range; S3 answers any other Range header with the whole object."""
    match = RANGE.fullmatch(call.header("range") or "")
    if match is None or match.groups() == ("", ""):
        return False
    first, last = match.groups()
    return not (first and last and int(first) > int(last))


def _span(call: S3Call, size: int) -> range:
    given = call.header("range") or ""
    if not _is_range(call):
        return range(size)
    first, last = given.removeprefix("bytes=").split("-")
    start = int(first) if first else max(size - int(last), 0)
    if start >= size:
        message = f"{given} is beyond the {size} bytes of s3://{call.bucket}/{call.key}"
        raise ServiceError("InvalidRange", message, status=416)
    return range(start, min(int(last) + 1, size) if first and last else size)
