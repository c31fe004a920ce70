"""S3's operations on multipart uploads."""

import re

from pipelines.local.api.bodies import Bounded
from pipelines.local.api.s3_call import S3Call, empty_response, iso_date, quoted_etag, xml_response
from pipelines.local.api.s3_copies import copy_source
from pipelines.local.api.wire import Response
from pipelines.local.api.xml_text import read_xml
from pipelines.local.errors import ServiceError
from pipelines.local.store.staging import Readable
from pipelines.local.store.uploads import Part, Uploads

COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


def create_multipart_upload(call: S3Call) -> Response:
    """CreateMultipartUpload."""
    upload_id = Uploads(call.store).create(
        call.bucket, call.key, content_type=call.header("content-type"), metadata=call.metadata()
    )
    members = {"Bucket": call.bucket, "Key": call.key, "UploadId": upload_id}
    return xml_response("InitiateMultipartUploadResult", members)


def upload_part(call: S3Call) -> Response:
    """UploadPart."""
    return empty_response(headers={"etag": f'"{_add(call, call.upload())}"'})


def upload_part_copy(call: S3Call) -> Response:
    """UploadPartCopy: a part that is a range of another object."""
    source, file = copy_source(call)
    with file:
        span = _copied(call, source.size)
        file.seek(span.start)
        etag = _add(call, Bounded(file, len(span)))
    return xml_response("CopyPartResult", {"ETag": f'"{etag}"', "LastModified": iso_date(source.modified)})


def complete_multipart_upload(call: S3Call) -> Response:
    """CompleteMultipartUpload; the ETag is the MD5 of the whole, as for any object here."""
    listed = read_xml(call.request.content()).findall("Part")
    parts = [Part(_number(part.findtext("PartNumber", "")), part.findtext("ETag", "").strip('"')) for part in listed]
    stored = Uploads(call.store).complete(call.bucket, call.key, call.query("uploadId"), parts)
    members = {"Bucket": call.bucket, "Key": call.key, "ETag": quoted_etag(stored)}
    return xml_response("CompleteMultipartUploadResult", members)


def abort_multipart_upload(call: S3Call) -> Response:
    """AbortMultipartUpload."""
    Uploads(call.store).abort(call.bucket, call.key, call.query("uploadId"))
    return empty_response(204)


def _add(call: S3Call, source: Readable) -> str:
    part = (call.query("uploadId"), _number(call.query("partNumber")))
    return Uploads(call.store).add(call.bucket, call.key, part, source)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ServiceError("InvalidArgument", f"the part number {text!r} is not a number")
    return int(text)


def _copied(call: S3Call, size: int) -> range:
    given = call.header("x-amz-copy-source-range")
    if given is None:
        return range(size)
    match = COPY_RANGE.fullmatch(given)
    if not match or not int(match[1]) <= int(match[2]) < size:
        message = f"the copy source range {given!r} is not bytes=<first>-<last> within the object's {size} bytes"
        raise ServiceError("InvalidArgument", message)
    return range(int(match[1]), int(match[2]) + 1)
