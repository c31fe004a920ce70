"""The objects of a transform job: each is sent to the model in batches, and its results become a file, in order."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO

from pipelines.local.containers.stop import Stop
from pipelines.local.errors import ServiceError
from pipelines.local.jobs.inputs import WROTE_NOTHING, read_manifest
from pipelines.local.jobs.transform_client import InvocationFailed
from pipelines.local.jobs.transform_data import BadRecord
from pipelines.local.jobs.transform_records import BadObject, Batch, Batching, batches
from pipelines.local.jobs.workspace import JobFailure
from pipelines.local.store import Store, parse_uri
from pipelines.local.store.keys import check_key
from pipelines.local.store.objects import relative_name

SUFFIX = ".out"


@dataclass(eq=False)
class Source:
    """An input object; `name` is its place below the prefix, and `failure` why it has no results."""

    bucket: str
    key: str
    name: str
    failure: str | None = None

    @property
    def uri(self) -> str:
        """The object's S3 URI."""
        return f"s3://{self.bucket}/{self.key}"

    def fail(self, kind: str, reason: object, where: str = "") -> None:
        """Write down why it has no results; the first reason counts."""
        place = f"{where} of {self.uri}" if where else self.uri
        self.failure = self.failure or f"{kind}: {reason} ({place})"


@dataclass(frozen=True)
class Part:
    """A batch of an object; the one without a batch is the object's end."""

    source: Source
    batch: Batch | None


def find_sources(store: Store, uri: str, data_type: str) -> list[Source]:
    """Return the objects below an S3Prefix, or those that a ManifestFile lists.

    Raises:
        JobFailure: there are none, or the manifest is none.
    """
    try:
        if data_type == "ManifestFile":
            prefix, names = read_manifest(store, uri)
            found = [Source(*parse_uri(prefix + name), name) for name in names]
            for source in found:
                check_key(source.name)
                store.head(source.bucket, source.key)
        else:
            bucket, prefix = parse_uri(uri)
            keys = [item.key for item in store.list(bucket, prefix)]
            found = [Source(bucket, key, relative_name(key, prefix)) for key in keys]
    except ServiceError as error:
        more = WROTE_NOTHING if error.code == "NoSuchBucket" else ""
        raise JobFailure(f"ClientError: Data download failed: {error.message}{more}") from error
    if not found:
        raise JobFailure(f"ClientError: Data download failed: no object matches {uri}{WROTE_NOTHING}")
    return found


@dataclass(frozen=True)
class Transformation:
    """Sends objects through `invoke`, `concurrency` requests at once, and keeps the results in a folder."""

    store: Store
    invoke: Callable[[bytes], bytes]
    batching: Batching
    concurrency: int
    assemble_lines: bool
    folder: Path
    stop: Stop

    def run(self, sources: Sequence[Source]) -> None:
        """Make `<name>.out` of each source, or set its failure; a failed one has no file, and stops no other."""
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="transform") as pool:
            answers = _in_order(pool, self._send, self._parts(sources), self.concurrency)
            for source, some in groupby(answers, key=lambda answer: answer[0].source):
                self._write(source, some)

    def _parts(self, sources: Sequence[Source]) -> Iterator[Part]:
        for source in sources:
            try:
                with self.store.open(source.bucket, source.key) as stream:
                    for batch in batches(stream, self.batching):
                        if source.failure or self.stop.is_set():
                            break
                        yield Part(source, batch)
            except BadObject as error:
                source.fail("ClientError", error, error.where)
            except ServiceError as error:
                source.fail("ClientError", error.message)
            yield Part(source, None)

    def _send(self, part: Part) -> bytes:
        return self.invoke(part.batch.body) if part.batch else b""

    def _write(self, source: Source, answers: Iterator[tuple[Part, "Future[bytes]"]]) -> None:
        path = self.folder / f"{source.name}{SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for part, answer in answers:
                if part.batch and not source.failure:
                    self._append(file, source, part.batch, answer)
        if source.failure:
            path.unlink()

    def _append(self, file: IO[bytes], source: Source, batch: Batch, answer: "Future[bytes]") -> None:
        try:
            file.write(self._result(batch, answer.result()))
        except InvocationFailed as error:
            source.fail(error.kind, error, batch.where)
        except BadRecord as error:
            source.fail("ClientError", error, batch.where_of(error.index))

    def _result(self, batch: Batch, response: bytes) -> bytes:
        process = self.batching.process
        if process.changes_output:
            response = process.output(batch.records, response)
        if self.assemble_lines and not response.endswith(b"\n"):
            response += b"\n"
        return response


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Part], bytes], parts: Iterator[Part], ahead: int
) -> Iterator[tuple[Part, "Future[bytes]"]]:
    """Yield the parts with their results in order, while at most so many of those after them are under way."""
    waiting: deque[tuple[Part, Future[bytes]]] = deque()
    for part in parts:
        waiting.append((part, pool.submit(work, part)))
        if len(waiting) > ahead:
            yield waiting.popleft()
    yield from waiting
