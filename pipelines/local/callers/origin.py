"""Whether a request was meant for this server: pages in a browser can send requests to it too."""

import re
from collections.abc import Mapping

from pipelines.local.errors import ServiceError

HOST = re.compile(r"(?P<name>127\.0\.0\.1|\[::1\]|(?:[a-z0-9-]+\.)*localhost)(?::(?P<port>[0-9]+))?", re.IGNORECASE)


def check_origin(headers: Mapping[str, str], port: int) -> None:
    """Refuse a request that is for another host, as after DNS rebinding, or that a page in a browser sends.

    Raises:
        ServiceError: BadRequest without a host; AccessDenied.
    """
    if "host" not in headers:
        raise ServiceError("BadRequest", "not a request that this server reads: it has no Host header")
    match = HOST.fullmatch(headers["host"])
    if not match or match["port"] not in {None, str(port)}:
        message = f"this server is for 127.0.0.1:{port} and localhost:{port}, not for {headers['host'][:100]!r}"
        raise ServiceError("AccessDenied", message, status=403)
    if "origin" in headers:
        message = f"this server is not for pages in a browser, such as one from {headers['origin'][:100]!r}"
        raise ServiceError("AccessDenied", message, status=403)
