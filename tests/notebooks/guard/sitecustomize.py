"""Python imports this at its start where the folder is on its path: then nothing leaves this machine unseen.

A connection to anywhere else is refused, and written down in the file that OUTGOING_CALLS names.
"""

import ipaddress
import os
import sys
from typing import Any

OUTGOING_CALLS = "OUTGOING_CALLS"
# What asks for its own name or for any address to listen on goes nowhere.
_HERE = {None, "", "localhost", "0.0.0.0"}


def _is_here(host: Any) -> bool:
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if host in _HERE or host == os.uname().nodename:
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        # An address of two parts and more is one of the internet; a path is a Unix socket's.
        hosts = [arguments[1][0]] if isinstance(arguments[1], tuple) and len(arguments[1]) > 1 else []
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        hosts = [arguments[0]]
    else:
        return
    for host in hosts:
        if not _is_here(host):
            with open(os.environ[OUTGOING_CALLS], "a", encoding="utf-8") as calls:  # noqa: PTH123 - light at the start
                calls.write(f"{event} {host}\n")
            raise OSError(f"{event} {host}: the notebooks have no network here")


if OUTGOING_CALLS in os.environ:
    sys.addaudithook(_watch)
