"""The end of a deployment for a person: what serves, how it was tested, and how to call it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.report import Report
from pipelines.delivery.deployment.requests import JSON
from pipelines.delivery.deployment.result import Outcome, Result
from pipelines.delivery.wording import duration, one_line

_HEADLINES: dict[Outcome, str] = {
    "deployed": "DEPLOYED",
    "unchanged": "UNCHANGED",
    "returned": "RETURNED",
    "rolled_back": "ROLLED BACK",
    "removed": "REMOVED",
    "failed": "FAILED",
    "torn_down": "TORN DOWN",
}


def summarize(result: Result) -> Iterator[str]:
    """Return the lines to print."""
    yield ""
    yield f"{_HEADLINES[result.outcome]}: {one_line(result.reason)} ({duration(result.seconds)})"
    for name, text in (*_facts(result), *_checks(result.test)):
        yield f"  {name:<15} {one_line(text)}"
    if result.fallback_test and result.serving:
        yield f"  test of what serves now, {result.serving.name}:"
        for name, text in _checks(result.fallback_test):
            yield f"    {name:<13} {one_line(text)}"
    if command := call_of(result):
        yield f"call it: {command}"


def append_markdown(lines: Iterable[str], path: Path) -> None:
    """Add lines to the file that GitHub Actions shows beside the job."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def call_of(result: Result) -> str | None:
    """Return a command that calls the endpoint: with a real row here, with a file of one in AWS.

    There the command stands in the log of CI, which is no place for customers' data.
    """
    if result.example is None:
        return None
    if result.url:
        body = shlex.quote(result.example)
        return f"curl -sS {result.url}/invocations -H 'Content-Type: {JSON}' -H 'Accept: {JSON}' -d {body}"
    return (
        f"aws sagemaker-runtime invoke-endpoint --endpoint-name {result.order.endpoint} --content-type {JSON} "
        f"--accept {JSON} --body fileb://row.json /dev/stdout"
    )


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    yield "endpoint", result.order.endpoint
    if result.package:
        yield "model package", result.package.arn
    if result.serving:
        yield "serving", result.serving.name
    if result.url:
        yield "url", result.url
    if result.logs:
        yield "logs", result.logs


def _checks(report: Report | None) -> Iterator[tuple[str, str]]:
    for check in report.checks if report else ():
        yield check.name, f"{check.detail}{'' if check.passed else ' <- NOT passed'}"


def markdown_of_error(order: Order, error: str) -> Iterator[str]:
    """Return the summary of a command that came to no outcome."""
    yield f"## {order.stage}: failed"
    yield ""
    yield _cell(error)


def markdown(result: Result) -> Iterator[str]:
    """Return the summary as GitHub-flavoured Markdown."""
    yield f"## {result.order.stage}: {_HEADLINES[result.outcome].lower()}"
    yield ""
    yield _cell(result.reason)
    yield ""
    yield "| what | |"
    yield "|---|---|"
    for name, text in _facts(result):
        yield f"| {name} | `{_cell(text)}` |"
    for report, of in ((result.test, ""), (result.fallback_test, " of what serves now")):
        for check in report.checks if report else ():
            yield f"| {'✔' if check.passed else '✘'} {check.name}{of} | {_cell(check.detail)} |"


def _cell(text: str) -> str:
    """Return text that breaks no table and starts no markup of its own."""
    plain = one_line(text).replace("|", "\\|").replace("`", "'")
    return plain.replace("&", "&amp;").replace("<", "&lt;")
