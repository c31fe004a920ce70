"""What a person should know of a version before approving it: that it is worse, or that nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.delivery.approval.listing import number
from pipelines.delivery.packages import APPROVED, ModelPackage

_SHOWN_OF_HASH = 8


def cautions(package: ModelPackage, champion: ModelPackage | None) -> Iterator[str]:
    """Yield what speaks against approving a version, or against the numbers that speak for it."""
    lead = package.lead(champion)
    if champion is None or lead is None or package.approval == APPROVED:
        return
    if lead < 0:
        yield (
            f"It is worse than the champion, version {champion.version}: its ROC AUC is {number(package.roc_auc)}, "
            f"{-lead:.4f} below {number(champion.roc_auc)}."
        )
        if package.version > champion.version:
            yield "Once it is approved, it is the champion, and deploy-model takes it where no version is named."
    if package.has_other_data(champion):
        yield (
            f"The two were measured on different test sets, of data {_short(package)} and {_short(champion)}: "
            "the difference says little of which model is better."
        )


def _short(package: ModelPackage) -> str:
    return (package.data_hash or "unknown")[:_SHOWN_OF_HASH]
