"""What S3 copies from: the x-amz-copy-source headers of a request."""

from io import BufferedReader
from urllib.parse import unquote

from pipelines.local.api.s3_call import S3Call, quoted_etag
from pipelines.local.api.wire import unanswered
from pipelines.local.errors import ServiceError
from pipelines.local.store import StoredObject

SOURCE = "x-amz-copy-source"
MATCH = "x-amz-copy-source-if-match"
UNANSWERED = (
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-unmodified-since",
)


def copy_source(call: S3Call) -> tuple[StoredObject, BufferedReader]:
    """Return the object that a request copies, and its content, which the caller closes.

    Raises:
        ServiceError: NoSuchBucket or NoSuchKey; InvalidArgument; PreconditionFailed.
    """
    for header in UNANSWERED:
        if call.header(header):
            raise unanswered("s3", f"CopyObject with {header}")
    path, _, version = (call.header(SOURCE) or "").partition("?")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if version or not key:
        raise ServiceError("InvalidArgument", f"the copy source {path!r} is not <bucket>/<key>, without a version")
    source, content = call.store.fetch(bucket, key)
    wanted = call.header(MATCH)
    if wanted and wanted not in {source.etag, quoted_etag(source)}:
        content.close()
        raise ServiceError("PreconditionFailed", f"s3://{bucket}/{key} has not the ETag {wanted}", status=412)
    return source, content
