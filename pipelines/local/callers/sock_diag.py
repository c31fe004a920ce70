"""The system's own knowledge of one TCP connection, asked for by its two ends (Linux, sock_diag(7))."""

import errno
import os
import socket
import struct
from dataclasses import dataclass

# linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20
NLM_F_REQUEST, NLMSG_ERROR = 1, 2
HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBBI")
PORTS = struct.Struct("!HH")
ADDRESSES = struct.Struct("=16s16sIII")
ERROR = struct.Struct("=i")
OWNER = struct.Struct("=II")
# An answer has the family, state and timers, the two ends, and three numbers before whose it is.
OWNER_AT = HEADER.size + 4 + PORTS.size + ADDRESSES.size + 3 * 4
ALL_STATES = ANY_COOKIE = 0xFFFFFFFF
LOOPBACK = socket.inet_aton("127.0.0.1")
ANSWER_BYTES = 4096
ANSWER_SECONDS = 1.0


@dataclass(frozen=True)
class Owner:
    """Whose a socket is; `inode` is 0 when its process has closed it."""

    user: int
    inode: int


def owner_of(local: int, remote: int) -> Owner | None:
    """Return whose the socket between two ports of 127.0.0.1 is, or, of a remote port 0, the one that listens.

    It is None when there is none, and also when the system cannot tell at all.

    Raises:
        OSError: this system does not tell.
    """
    query = REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, ALL_STATES)
    query += PORTS.pack(local, remote) + ADDRESSES.pack(LOOPBACK, LOOPBACK, 0, ANY_COOKIE, ANY_COOKIE)
    head = HEADER.pack(HEADER.size + len(query), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as link:
        link.settimeout(ANSWER_SECONDS)
        link.send(head + query)
        answer = link.recv(ANSWER_BYTES)
    if HEADER.unpack_from(answer)[1] == NLMSG_ERROR:
        (code,) = ERROR.unpack_from(answer, HEADER.size)
        if code == -errno.ENOENT:
            return None
        raise OSError(-code, os.strerror(-code))
    return Owner(*OWNER.unpack_from(answer, OWNER_AT))
