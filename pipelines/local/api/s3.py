"""S3: finds the operation, the bucket and the key of a request, and writes errors as S3 does."""

import re
from collections.abc import Callable, Mapping

from pipelines.local.api import s3_buckets, s3_listing, s3_multipart, s3_objects
from pipelines.local.api.s3_call import S3Call, empty_response, xml_response
from pipelines.local.api.s3_copies import SOURCE
from pipelines.local.api.wire import Request, Response, unanswered
from pipelines.local.errors import ServiceError
from pipelines.local.store import Store

BUCKET_HOSTS = (
    re.compile(r"(?P<bucket>.+)\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?"),
    re.compile(r"(?!s3\.localhost)(?P<bucket>.+?)(?:\.s3)?\.localhost"),
)
ORDINARY = {"bucket-region", "continuation-token", "delimiter", "encoding-type", "fetch-owner", "marker", "max-buckets"}
ORDINARY |= {"key-marker", "max-keys", "prefix", "response-content-type", "start-after", "version-id-marker", "x-id"}
# Presigned as S3 did it before Signature Version 4, which boto3 still does.
ORDINARY |= {"AWSAccessKeyId", "Expires", "Signature"}

Route = tuple[str, str, frozenset[str]]
Operation = Callable[[S3Call], Response]


def _route(text: str) -> Route:
    method, level, *markers = text.split()
    return method, level, frozenset(markers)


ROUTES: Mapping[Route, Operation] = {
    _route("GET service"): s3_buckets.list_buckets,
    _route("PUT bucket"): s3_buckets.create_bucket,
    _route("HEAD bucket"): s3_buckets.head_bucket,
    _route("DELETE bucket"): s3_buckets.delete_bucket,
    _route("GET bucket location"): s3_buckets.get_bucket_location,
    _route("GET bucket"): s3_listing.list_objects,
    _route("GET bucket list-type"): s3_listing.list_objects_v2,
    _route("GET bucket versions"): s3_listing.list_object_versions,
    _route("POST bucket delete"): s3_objects.delete_objects,
    _route("PUT object"): s3_objects.put_object,
    _route("PUT object copy"): s3_objects.copy_object,
    _route("GET object"): s3_objects.get_object,
    _route("HEAD object"): s3_objects.head_object,
    _route("DELETE object"): s3_objects.delete_object,
    _route("POST object uploads"): s3_multipart.create_multipart_upload,
    _route("PUT object partNumber uploadId"): s3_multipart.upload_part,
    _route("PUT object partNumber uploadId copy"): s3_multipart.upload_part_copy,
    _route("POST object uploadId"): s3_multipart.complete_multipart_upload,
    _route("DELETE object uploadId"): s3_multipart.abort_multipart_upload,
}


class S3:
    """S3 in one region for one account, answered from a store."""

    def __init__(self, store: Store, *, region: str, account: str) -> None:
        self._store = store
        self._region = region
        self._account = account

    def answer(self, request: Request) -> Response:
        """Answer a request of S3's REST protocol, with the bucket in the path or in the host."""
        try:
            call = self._address(request)
            owner = call.header("x-amz-expected-bucket-owner")
            if owner not in {None, self._account}:
                message = f"{call.bucket} belongs to the account {self._account}, not to {owner}"
                raise ServiceError("AccessDenied", message, status=403)
            return _operation(call)(call)
        except ServiceError as error:
            return _error(request, error)

    def _address(self, request: Request) -> S3Call:
        in_host = next(filter(None, (host.fullmatch(request.host) for host in BUCKET_HOSTS)), None)
        path = request.path.removeprefix("/")
        bucket, _, key = (in_host["bucket"], "", path) if in_host else path.partition("/")
        return S3Call(self._store, self._region, self._account, request, bucket, key)


def _operation(call: S3Call) -> Operation:
    level = "object" if call.key else "bucket" if call.bucket else "service"
    markers = {name for name in call.request.query if name not in ORDINARY and not name.lower().startswith("x-amz-")}
    if call.header(SOURCE) is not None:
        markers.add("copy")
    operation = ROUTES.get((call.request.method, level, frozenset(markers)))
    if operation is None:
        raise unanswered("s3", " ".join([call.request.method, level, *sorted(markers)]))
    return operation


def _error(request: Request, error: ServiceError) -> Response:
    if request.method == "HEAD":
        # Botocore takes a 400 here for a bucket in another region, and asks again: say that there is no such thing.
        return empty_response(404 if error.status == 400 else error.status)
    members = {"Code": error.code, "Message": error.message}
    return xml_response("Error", members, status=error.status, namespace="")
