"""The body of a request, read from its connection piece by piece."""

import re
from typing import Protocol

from pipelines.local.api.bodies import incomplete
from pipelines.local.errors import ServiceError
from pipelines.local.http.channel import BLOCK_BYTES, Channel
from pipelines.local.http.head import Head

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
MAX_LINE_BYTES = 8192
MAX_TRAILERS = 100
CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")


class Framing(Protocol):
    """How the end of a body is found."""

    def left(self) -> int | None:
        """Tell how many bytes were not read yet; None where nobody knows."""

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, and b"" only at the end."""


class Sized:
    """A body of so many bytes."""

    def __init__(self, channel: Channel, length: int) -> None:
        self._channel = channel
        self._left = length

    def left(self) -> int:
        """Tell how many bytes were not read yet."""
        return self._left

    def read(self, size: int) -> bytes:
        """Return at most so many bytes.

        Raises:
            ServiceError: IncompleteBody.
        """
        block = self._channel.read(min(size, self._left))
        if not block:
            raise incomplete(f"it ended {self._left} bytes early")
        self._left -= len(block)
        return block


class Chunked:
    """A body in HTTP's chunked encoding; trailers are read and dropped."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._left = 0
        self._ended = False

    def left(self) -> int | None:
        """Tell that nothing is left after the last chunk."""
        return 0 if self._ended else None

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, and b"" only at the end.

        Raises:
            ServiceError: IncompleteBody, when it ends early or is not in that encoding.
        """
        if not self._left:
            self._begin_chunk()
        if self._ended:
            return b""
        block = self._channel.read(min(size, self._left))
        if not block:
            raise incomplete("it ended inside a chunk")
        self._left -= len(block)
        if not self._left and self._channel.read_line(2) not in {b"\r\n", b"\n"}:
            raise incomplete("a chunk has another length than it says")
        return block

    def _begin_chunk(self) -> None:
        line = self._channel.read_line(MAX_LINE_BYTES)
        match = CHUNK_SIZE.fullmatch(line)
        if not match:
            raise incomplete(f"{line[:20]!r} is no chunk size")
        self._left = int(match[1], 16)
        if not self._left:
            self._skip_trailers()
            self._ended = True

    def _skip_trailers(self) -> None:
        for _ in range(MAX_TRAILERS):
            line = self._channel.read_line(MAX_LINE_BYTES)
            if line in {b"\r\n", b"\n"}:
                return
            if not line.endswith(b"\n"):
                break
        raise incomplete("its trailers do not end")


class Body:
    """A request's body; the client that waits to be asked for it is asked when it is first read."""

    def __init__(self, channel: Channel, head: Head) -> None:
        self._channel = channel
        self._framing: Framing = Chunked(channel) if head.length is None else Sized(channel, head.length)
        self._is_awaited = head.awaits_continue
        self._is_broken = False

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes, a block unless said, and b"" at the end.

        Raises:
            ServiceError: IncompleteBody; RequestTimeout, when the client stalls.
        """
        if self._framing.left() == 0:
            return b""
        try:
            if self._is_awaited:
                self._is_awaited = False
                self._channel.send(CONTINUE)
            return self._framing.read(size if size >= 0 else BLOCK_BYTES)
        except ServiceError:
            self._is_broken = True
            raise
        except OSError as error:
            self._is_broken = True
            message = "the body of the request did not come in time; send it again"
            raise ServiceError("RequestTimeout", message, status=408) from error

    def is_short(self, limit: int) -> bool:
        """Tell whether no more than so many bytes are left, and will come."""
        left = self._framing.left()
        # What the client was not asked for may never come.
        return left == 0 or (left is not None and left <= limit and not self._is_awaited and not self._is_broken)

    def skip(self) -> bool:
        """Read and drop what is left; tell whether all of it came."""
        try:
            while self.read():
                pass
        except ServiceError:
            return False
        return True
