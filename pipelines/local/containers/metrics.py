"""Metrics of a training job, found in what it prints."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

LINE_BYTES = 1 << 16
# How logs show a tab; the service's own definitions of XGBoost's metrics look for it.
TAB = "#011"
XGBOOST_ROUND = re.compile(r"\[\d+\]")
XGBOOST_METRIC = re.compile(r"\t(train|validation)-([^\s:]+):(\S+)")


def final_metrics(log: Path, definitions: Sequence[Mapping[str, Any]], *, xgboost: bool) -> dict[str, float]:
    """Return the last value of each metric in a log.

    Definitions are the request's, of Name and Regex. The images of XGBoost have some of their own: `train:<metric>`
    and `validation:<metric>`.
    """
    patterns = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]
    found: dict[str, float] = {}
    for line in lines_of(log):
        for name, text in matches(line, patterns, xgboost=xgboost):
            try:
                found[name] = float(text)
            except ValueError:
                continue  # A pattern may match words too; only numbers count.
    return found


def lines_of(log: Path) -> Iterator[str]:
    """Yield the lines of a log, very long ones in pieces."""
    if log.exists():
        with log.open("rb") as stream:
            while line := stream.readline(LINE_BYTES):
                yield line.decode("utf-8", errors="replace").rstrip("\r\n")


def matches(line: str, patterns: Sequence[tuple[str, re.Pattern[str]]], *, xgboost: bool) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of the metrics in a line."""
    if xgboost and XGBOOST_ROUND.search(line):
        for data, metric, text in XGBOOST_METRIC.findall(line):
            yield f"{data}:{metric}", text
    shown = line.replace("\t", TAB)
    for name, pattern in patterns:
        match = pattern.search(line) or (pattern.search(shown) if shown != line else None)
        if match and pattern.groups:
            # The service's own definitions end in (\S+), which takes in what follows an escaped tab.
            yield name, (match[1] or "").partition(TAB)[0]
