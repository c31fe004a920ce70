"""A connected socket, read by a deadline that moves on with what arrives."""

import socket
import time
from contextlib import suppress

BLOCK_BYTES = 1 << 20
RECEIVE_BYTES = 1 << 16
# Who sends slower than that is not waited for; who reads slower may work on what it has read.
MIN_BYTES_PER_SECOND = 16_384
SEND_SECONDS = 300.0
MOMENT_SECONDS = 0.001


class Channel:
    """The two directions of a connection; `patience` is how many seconds it waits for a client that sends nothing."""

    def __init__(self, connection: socket.socket, patience: float) -> None:
        self._socket = connection
        self._patience = patience
        self._buffer = bytearray()
        self._deadline = 0.0
        self.wait_anew()

    def wait_anew(self) -> None:
        """Give the client the whole patience again."""
        self._deadline = time.monotonic() + self._patience

    def wait_at_most(self, seconds: float) -> None:
        """Give the client some seconds and no more, whatever it sends."""
        self._deadline = min(self._deadline, time.monotonic() + seconds)

    def has_more(self) -> bool:
        """Wait for the next byte, and tell whether there is one.

        Raises:
            TimeoutError: nothing came in time.
        """
        return bool(self._buffer) or self._fill()

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, and b"" only at the end.

        Raises:
            TimeoutError: the client sends nothing, or too slowly.
        """
        if not self._buffer:
            return self._receive(min(size, BLOCK_BYTES))
        block = bytes(self._buffer[:size])
        del self._buffer[:size]
        return block

    def read_line(self, limit: int) -> bytes:
        """Return the next line with its end, or, where that does not come within `limit` bytes, so much of it.

        Raises:
            TimeoutError: as `read`.
        """
        searched = 0
        while (end := self._buffer.find(b"\n", searched, limit)) < 0:
            searched = len(self._buffer)
            if searched >= limit or not self._fill():
                return self.read(limit) if self._buffer else b""
        return self.read(end + 1)

    def send(self, data: bytes) -> None:
        """Send all of the data.

        Raises:
            OSError: the client is gone, or does not read.
        """
        self._socket.settimeout(SEND_SECONDS)
        self._socket.sendall(data)

    def end_output(self) -> None:
        """Tell the client that nothing more comes; one that is gone needs not be told."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def _fill(self) -> bool:
        block = self._receive(RECEIVE_BYTES)
        self._buffer += block
        return bool(block)

    def _receive(self, size: int) -> bytes:
        # What is there already was in time, however long nobody asked for it.
        self._socket.settimeout(max(self._deadline - time.monotonic(), MOMENT_SECONDS))
        try:
            block = self._socket.recv(size)
        except ConnectionError:
            return b""
        extended = self._deadline + len(block) / MIN_BYTES_PER_SECOND
        self._deadline = min(extended, time.monotonic() + self._patience)
        return block
