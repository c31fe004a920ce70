"""Names of what a deployment makes: the same wish has the same names, another wish has others."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pipelines.delivery.errors import UsageError

LONGEST = 63
_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def endpoint_name(group: str, stage: str, given: str | None = None) -> str:
    """Return the name that was given, or else `<group>-<stage>`; refuse one that the service would refuse."""
    name = given or f"{group}-{stage}"
    if not _ENDPOINT.fullmatch(name):
        raise UsageError(
            f"'{name}' is no endpoint's name: expected at most {LONGEST} letters, digits and hyphens; "
            "give --endpoint-name"
        )
    return name


def versioned_name(group: str, middle: str, version: int, request: Mapping[str, Any]) -> str:
    """Return `<group><middle>-v<version>-<hash of the request>`; a long group is cut, which the hash makes up for."""
    text = json.dumps(request, sort_keys=True, separators=(",", ":"))
    end = f"{middle}-v{version}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return f"{group[: LONGEST - len(end)].rstrip('-')}{end}"
