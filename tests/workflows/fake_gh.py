"""`gh api`, as far as the workflows use it, against the API that GITHUB_API_URL names."""

import argparse
import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import jq


def main() -> int:
    """Do one request, or with `--paginate` one for each page."""
    parser = argparse.ArgumentParser(prog="gh", allow_abbrev=False)
    parser.add_argument("command", choices=["api"])
    parser.add_argument("endpoint")
    parser.add_argument("--paginate", action="store_true")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--field", action="append", default=[])
    parser.add_argument("--jq")
    parser.add_argument("--silent", action="store_true")
    options = parser.parse_args()
    url: str | None = f"{os.environ['GITHUB_API_URL']}/{options.endpoint}"
    body = json.dumps(dict(map(_field, options.field))).encode() if options.field else None
    while url:
        answer, following = _request(url, options.method, body)
        if not options.silent:
            _show(answer, options.jq)
        url = following if options.paginate else None
    return 0


def _field(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, Path(value[1:]).read_text(encoding="utf-8") if value.startswith("@") else value


def _request(url: str, method: str, body: bytes | None) -> tuple[Any, str | None]:
    headers = {"Authorization": f"Bearer {os.environ['GH_TOKEN']}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            link = re.search(r'<([^>]+)>; rel="next"', response.headers.get("Link", ""))
            return json.load(response), link[1] if link else None
    except urllib.error.HTTPError as error:
        sys.exit(f"gh: {json.load(error)['message']} (HTTP {error.code})")


def _show(answer: Any, query: str | None) -> None:
    for value in jq.compile(query).input_value(answer) if query else [answer]:
        print(value if isinstance(value, str) else json.dumps(value))


if __name__ == "__main__":
    sys.exit(main())
