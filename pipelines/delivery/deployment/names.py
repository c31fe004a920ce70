"""Names of what a deployment makes, and of what it reads: the same wish has the same names, another wish has others."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pipelines.delivery.errors import UsageError

LONGEST = 63
S3_OBJECT = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.*[^/]", re.ASCII)
_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def endpoint_name(group: str, stage: str, given: str | None = None) -> str:
    """Return the name that was given, or else `<group>-<stage>`, of which a long group is cut.

    Raises:
        UsageError: the service would refuse it.
    """
    name = given or f"{group}-{stage}"
    if not given and len(name) > LONGEST:
        end = f"-{_hash(group)}-{stage}"
        name = f"{_cut(group, end)}{end}"
    if not _ENDPOINT.fullmatch(name):
        raise UsageError(
            f"'{name}' is no endpoint's name: expected at most {LONGEST} letters, digits and hyphens; "
            "give --endpoint-name"
        )
    return name


def versioned_name(group: str, middle: str, version: int, request: Mapping[str, Any]) -> str:
    """Return `<group><middle>-v<version>-<hash of the request>`; a long group is cut, which the hash makes up for."""
    text = json.dumps(request, sort_keys=True, separators=(",", ":"))
    end = f"{middle}-v{version}-{_hash(text)}"
    return f"{_cut(group, end)}{end}"


def _cut(group: str, end: str) -> str:
    return group[: LONGEST - len(end)].rstrip("-")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
