"""An input object of a transform job as requests: its records, in batches that fit into a payload."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from pipelines.local.jobs.transform_data import BadRecord, DataProcessing

MEGABYTE = 1 << 20
# Of one line, whatever a filter leaves of it: the most that a payload may ever have.
LONGEST_RECORD = 100 * MEGABYTE

Content = IO[bytes] | gzip.GzipFile


class BadObject(Exception):
    """An object that cannot be cut into requests; `where` is the line that it is about, if it is one."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.where = f"line {line}" if line else ""


@dataclass(frozen=True)
class Batching:
    """How objects become requests; `limit` is the most bytes of one, `process` what is done to records."""

    split: bool = False
    single: bool = False
    limit: int = 6 * MEGABYTE
    compressed: bool = False
    process: DataProcessing = field(default_factory=DataProcessing)


@dataclass(frozen=True)
class Batch:
    """One request: its body and, where they are joined with the results, its records; lines count from 1."""

    body: bytes
    records: tuple[bytes, ...] = ()
    lines: tuple[int, ...] = ()

    @property
    def where(self) -> str:
        """Which lines of the object it has, for messages; nothing if it is the whole object."""
        if not self.lines:
            return ""
        first, last = self.lines[0], self.lines[-1]
        return f"line {first}" if first == last else f"lines {first} to {last}"

    def where_of(self, index: int) -> str:
        """Return the line of one of its records, for messages."""
        return f"line {self.lines[index]}" if index < len(self.lines) else ""


def batches(stream: IO[bytes], batching: Batching) -> Iterator[Batch]:
    """Yield the requests for an object, of which never more than one is in memory.

    Raises:
        BadObject: the rest of it cannot be sent.
    """
    try:
        content = gzip.GzipFile(fileobj=stream) if batching.compressed else stream
        yield from (_by_lines if batching.split else _whole)(content, batching)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadObject(f"CompressionType is Gzip, and it is no whole gzip file: {error}") from error


def _whole(stream: Content, batching: Batching) -> Iterator[Batch]:
    content = stream.read(batching.limit + 1)
    if len(content) > batching.limit:
        raise BadObject(f"it is larger than {_limit(batching)} and is sent as a whole; set SplitType to 'Line'")
    process = batching.process
    records = process.records(content) if process.changes_input or process.join else []
    body = content
    if process.changes_input:
        try:
            body = b"".join(map(process.payload, records))
        except BadRecord as error:
            raise BadObject(str(error)) from error
    yield Batch(body, tuple(records))


def _by_lines(stream: Content, batching: Batching) -> Iterator[Batch]:
    waiting: list[tuple[int, bytes, bytes]] = []
    size = 0
    for number, record, payload in _payloads(stream, batching):
        if waiting and (batching.single or size + len(payload) > batching.limit):
            yield _batch(waiting, batching)
            waiting, size = [], 0
        waiting.append((number, record, payload))
        size += len(payload)
    if waiting:
        yield _batch(waiting, batching)


def _payloads(stream: Content, batching: Batching) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield each line's number, the line, and what of it the model gets; an empty line is no record."""
    number = 0
    while line := stream.readline(LONGEST_RECORD + 1):
        number += 1
        if len(line) > LONGEST_RECORD:
            raise BadObject(f"it is longer than {LONGEST_RECORD // MEGABYTE} MB", number)
        if not line.strip():
            continue
        try:
            payload = batching.process.payload(line) if batching.process.changes_input else line
        except BadRecord as error:
            raise BadObject(str(error), number) from error
        if len(payload) > batching.limit:
            raise BadObject(f"it is larger than {_limit(batching)}; raise that", number)
        yield number, line, payload


def _batch(parts: list[tuple[int, bytes, bytes]], batching: Batching) -> Batch:
    numbers, records, payloads = zip(*parts, strict=True)
    return Batch(b"".join(payloads), records if batching.process.join else (), numbers)


def _limit(batching: Batching) -> str:
    return f"MaxPayloadInMB ({batching.limit // MEGABYTE} MB)"
