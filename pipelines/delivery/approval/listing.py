"""The packages of a group as a table of plain text, the newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from pipelines.delivery.lifecycle import DEPLOYED
from pipelines.delivery.packages import COMPLETED, PENDING, ModelPackage
from pipelines.delivery.wording import ON_OTHER_DATA, age

SHOWN_OF_COMMIT = 8
_GAP = "  "
_OTHER_DATA = "*"
_LEFT = frozenset({"commit", "approval", "stage", "status"})

Cell = Callable[[ModelPackage], str]


def headline(group: str, waiting: int, champion: ModelPackage | None) -> str:
    """Say how many packages wait, and for what they are held against."""
    many = {0: "nothing waits", 1: "1 version waits"}.get(waiting, f"{waiting} versions wait")
    told = f"version {champion.version}, ROC AUC {number(champion.roc_auc)}" if champion else "none yet"
    return f"{group}: {many} for approval; champion: {told}"


def table(
    packages: Sequence[ModelPackage], champion: ModelPackage | None, now: datetime, *, with_approval: bool
) -> Iterator[str]:
    """Yield the lines of the table; with approvals it tells these and stages in place of the threshold."""
    columns: dict[str, Cell] = {
        "version": lambda package: str(package.version),
        "ROC AUC": lambda package: number(package.roc_auc),
        "champion": lambda package: difference(package, champion),
        "threshold": lambda package: f"{package.threshold:g}" if package.threshold is not None else "unknown",
        "commit": lambda package: (package.commit or "unknown")[:SHOWN_OF_COMMIT],
        "age": lambda package: age((now - package.created).total_seconds()),
    }
    if with_approval:
        del columns["threshold"]
        columns["approval"] = lambda package: "waits" if package.approval == PENDING else package.approval
        columns["stage"] = _stage
    if any(package.status != COMPLETED for package in packages):
        columns["status"] = lambda package: package.status
    rows = [list(columns), *([cell(package) for cell in columns.values()] for package in packages)]
    yield from _aligned(rows)
    if any(package.lead(champion) is not None and package.has_other_data(champion) for package in packages):
        yield f"{_OTHER_DATA} {ON_OTHER_DATA} than the champion: the numbers are from different test sets"


def _stage(package: ModelPackage) -> str:
    """Return what was decided or done; the registry does not know what serves now."""
    if package.stage_status == DEPLOYED:
        return f"was deployed to {package.stage}"
    return f"{package.stage} {package.stage_status}" if package.stage else ""


def difference(package: ModelPackage, champion: ModelPackage | None) -> str:
    """Return how much better than the champion a package is, with a mark where that says little."""
    if champion is not None and package.arn == champion.arn:
        return "itself"
    lead = package.lead(champion)
    # The mark stands first, for the digits to stay below each other.
    mark = _OTHER_DATA if package.has_other_data(champion) else ""
    return "" if lead is None else f"{mark}{lead:+.4f}"


def number(value: float | None) -> str:
    """Return a ROC AUC with its four digits."""
    return "unknown" if value is None else f"{value:.4f}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    names = rows[0]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            text.ljust(width) if name in _LEFT else text.rjust(width)
            for name, text, width in zip(names, row, widths, strict=True)
        )
        yield _GAP.join(cells).rstrip()
