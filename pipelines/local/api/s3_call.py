"""One request to S3: whom it addresses, with what, and how answers to it are written."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate

from pipelines.local.api.wire import Request, Response, request_id
from pipelines.local.api.xml_text import Value, write_xml
from pipelines.local.errors import ServiceError
from pipelines.local.store import Store, StoredObject
from pipelines.local.store.staging import Readable

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
METADATA_PREFIX = "x-amz-meta-"


@dataclass(frozen=True)
class S3Call:
    """A request to S3, and what it is answered from; bucket and key are empty where it names none."""

    store: Store
    region: str
    account: str
    request: Request
    bucket: str
    key: str

    def query(self, name: str, default: str = "") -> str:
        """Return a parameter of the query."""
        return self.request.query.get(name, default)

    def header(self, name: str) -> str | None:
        """Return a header, named in lower case."""
        return self.request.headers.get(name)

    def upload(self) -> Readable:
        """Return the body, to be stored.

        Raises:
            ServiceError: EntityTooLarge, when it says that it is longer than the disk has room.
        """
        length = int(self.header("content-length") or "0")
        free = shutil.disk_usage(self.store.root).free
        if length > free:
            message = f"the disk has room for {free} bytes, not for {length}; use a root folder on another disk"
            raise ServiceError("EntityTooLarge", message, status=413)
        return self.request.stream

    def metadata(self) -> dict[str, str]:
        """Return the user metadata that the request gives."""
        return {
            name.removeprefix(METADATA_PREFIX): value
            for name, value in self.request.headers.items()
            if name.startswith(METADATA_PREFIX)
        }


def xml_response(name: str, members: Value, *, status: int = 200, namespace: str = NAMESPACE) -> Response:
    """Return a response with an XML body."""
    headers = {"content-type": "application/xml", "x-amz-request-id": request_id()}
    return Response(status, headers, write_xml(name, members, namespace))


def empty_response(status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response without a body."""
    return Response(status, {"x-amz-request-id": request_id(), **(headers or {})})


def quoted_etag(item: StoredObject) -> str:
    """Return an object's ETag as HTTP writes it."""
    return f'"{item.etag}"'


def http_date(seconds: float) -> str:
    """Return a time since the epoch as HTTP writes it."""
    return formatdate(seconds, usegmt=True)


def iso_date(seconds: float) -> str:
    """Return a time since the epoch as S3's XML writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
