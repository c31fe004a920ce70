"""What a transform job does with records beside the model: filtering them, and joining them with the results."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.local.jobs.transform_filters import Filter, NotThere

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
FORMATS = (CSV, JSON, JSON_LINES)
RESULT = "SageMakerOutput"
RECORD = "SageMakerInput"
EVERYTHING = Filter("$")


class BadRecord(ValueError):
    """A record, or the result for it, that cannot be processed; `index` counts the records of its request."""

    def __init__(self, message: str, index: int = 0) -> None:
        super().__init__(message)
        self.index = index


@dataclass(frozen=True)
class DataProcessing:
    """The filters of a job and its join; its records are of one type, the results of another."""

    content_type: str = ""
    accept: str = ""
    input_filter: Filter = EVERYTHING
    output_filter: Filter = EVERYTHING
    join: bool = False

    @property
    def changes_input(self) -> bool:
        """Whether the model gets something else than the records."""
        return not self.input_filter.selects_all

    @property
    def changes_output(self) -> bool:
        """Whether something else is kept than what the model gives."""
        return self.join or not self.output_filter.selects_all

    def records(self, content: bytes) -> list[bytes]:
        """Return the records of an object that is not split by lines already."""
        return _parts(content, self.content_type)

    def payload(self, record: bytes) -> bytes:
        """Return what the model gets of a record, as a line.

        Raises:
            BadRecord: it cannot be read, or has not what the filter selects.
        """
        selected = _select(self.input_filter, "InputFilter", _read(record, self.content_type))
        return _write(selected, self.content_type)

    def output(self, records: Sequence[bytes], response: bytes) -> bytes:
        """Return what is kept of a response, a line for each result.

        Raises:
            BadRecord: a result cannot be read, joined with its record or filtered.
        """
        results = _parts(response, self.accept)
        if self.join and len(results) != len(records):
            counts = f"{len(records)} records and {len(results)} results"
            raise BadRecord(f"Fail to join data: mismatched line count between the input and the output: {counts}")
        lines = []
        for index, result in enumerate(results):
            try:
                value = _read(result, self.accept)
                if self.join:
                    value = self._joined(_read(records[index], self.content_type), value)
                lines.append(_write(_select(self.output_filter, "OutputFilter", value), self.accept))
            except BadRecord as error:
                raise BadRecord(str(error), index) from error
        return b"".join(lines)

    def _joined(self, record: Any, result: Any) -> Any:
        if self.content_type == CSV:
            return record + result
        return {**record, RESULT: result} if isinstance(record, dict) else {RECORD: record, RESULT: result}


def _parts(content: bytes, kind: str) -> list[bytes]:
    return [content] if kind == JSON else [line for line in content.splitlines() if line.strip()]


def _select(chosen: Filter, name: str, value: Any) -> Any:
    try:
        return chosen.select(value)
    except NotThere as error:
        raise BadRecord(f"{name} {chosen.text}: {error}") from error


def _read(content: bytes, kind: str) -> Any:
    reader: Callable[[str], Any] = _read_row if kind == CSV else json.loads
    try:
        return reader(content.decode("utf-8"))
    except (ValueError, csv.Error, RecursionError) as error:
        raise BadRecord(f"it is not {kind}: {error}") from error


def _read_row(line: str) -> list[str]:
    text = line.rstrip("\r\n")
    if '"' not in text:
        return text.split(",")
    (row,) = csv.reader([text], strict=True)
    return row


def _write(value: Any, kind: str) -> bytes:
    """Return a value as one line."""
    if kind != CSV:
        return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    return _write_row(value if isinstance(value, list) else [value])


def _write_row(row: list[str]) -> bytes:
    text = ",".join(row)
    # Most rows need no quotes, and the module takes ten times as long.
    if text and '"' not in text and "\r" not in text and text.count(",") == len(row) - 1:
        return f"{text}\n".encode()
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(row)
    return buffer.getvalue().encode()
