"""Bodies of requests and responses: bounded, chunked, or a part of a file, never whole in memory."""

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipelines.local.errors import ServiceError
from pipelines.local.store.staging import Readable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 8192
CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")


class Bounded(io.RawIOBase):
    """The next so many bytes of a stream, which must have them; the stream is closed by its owner.

    Raises:
        ServiceError: IncompleteBody, when the stream ends early.
    """

    def __init__(self, stream: Readable, length: int) -> None:
        self._stream = stream
        self._left = length

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer with the next bytes; return how many."""
        view = memoryview(buffer).cast("B")
        block = self.read(len(view))
        view[: len(block)] = block
        return len(block)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most so many bytes, all that are left by default."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        if not wanted:
            return b""
        block = self._stream.read(wanted)
        if not block:
            raise incomplete(f"it ended {self._left} bytes early")
        self._left -= len(block)
        if (size is None or size < 0) and self._left:
            return block + self.read()
        return block


class Chunked(io.RawIOBase):
    """The content of a stream in S3's aws-chunked encoding; signatures and trailers are read and dropped.

    Raises:
        ServiceError: IncompleteBody, when the stream ends early or is not in that encoding.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = io.BufferedReader(_Raw(stream), BLOCK_BYTES)
        self._left = 0
        self._ended = False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer with the next bytes of the content; return how many."""
        if not self._left and not self._ended:
            self._begin_chunk()
        if self._ended:
            return 0
        view = memoryview(buffer).cast("B")
        count = self._stream.readinto(view[: self._left])
        if not count:
            raise incomplete("it ended inside a chunk")
        self._left -= count
        if not self._left and self._stream.read(2) != b"\r\n":
            raise incomplete("a chunk has another length than it says")
        return count

    def _begin_chunk(self) -> None:
        size = self._line().partition(b";")[0]
        if not CHUNK_SIZE.fullmatch(size):
            raise incomplete(f"{size[:20]!r} is no chunk size")
        self._left = int(size, 16)
        if not self._left:
            while self._line():
                continue
            self._ended = True

    def _line(self) -> bytes:
        line = self._stream.readline(MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise incomplete("it ended between two chunks")
        return line.rstrip(b"\r\n")


class Content(io.RawIOBase):
    """A response's body: some bytes of an open file, which is closed as soon as they are read."""

    def __init__(self, file: io.BufferedIOBase, length: int) -> None:
        self._file = file
        self._left = length
        self._close_at_end()

    def __del__(self) -> None:
        """Close the file of a body that nobody read to its end, as an HTTP connection would be."""
        self._file.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer with the next bytes; return how many."""
        view = memoryview(buffer).cast("B")[: self._left]
        count = self._file.readinto(view) if self._left else 0
        self._left -= count
        self._close_at_end()
        return count

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most so many bytes, all that are left by default."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        block = self._file.read(wanted) if wanted else b""
        self._left -= len(block)
        self._close_at_end()
        return block

    def stream(self, block_bytes: int = BLOCK_BYTES, **_: Any) -> Iterator[bytes]:
        """Yield the body in blocks, as urllib3's responses do."""
        return iter(lambda: self.read(block_bytes), b"")

    def _close_at_end(self) -> None:
        if not self._left:
            self._file.close()


class _Raw(io.RawIOBase):
    """A raw stream of anything that can be read; closing it leaves that open."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        block = self._stream.read(len(view))
        view[: len(block)] = block
        return len(block)


def incomplete(how: str) -> ServiceError:
    """Return the error of a request whose body is not all there."""
    return ServiceError("IncompleteBody", f"the body of the request is incomplete: {how}; send it again")
