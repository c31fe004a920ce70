"""The life cycle of a model package in the registry: which stage it has reached, and how it went there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, get_args

from pipelines.delivery.wording import one_line, shortened

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

Stage = Literal["staging", "production"]
StageStatus = Literal["Approved", "Rejected", "Deployed", "RolledBack"]

STAGES: tuple[Stage, ...] = get_args(Stage)
DEPLOYED: Final = "Deployed"
ROLLED_BACK: Final = "RolledBack"
# Of ApprovalDescription, and of StageDescription too.
LONGEST_NOTE = 1024
# Between what is written down and what stood there before, which the registry itself does not keep.
BEFORE = " | before: "
_SEPARATOR = re.compile(r"\|(?=\s*before:)", re.IGNORECASE)


def set_stage(client: SageMakerClient, arn: str, stage: Stage, status: StageStatus, note: str) -> None:
    """Write down where a model package is; a package has one stage, which takes the place of the one before.

    The note says who and why, `with_history`; what is too long of it is cut off.
    """
    client.update_model_package(
        ModelPackageArn=arn,
        ModelLifeCycle={
            "Stage": stage,
            "StageStatus": status,
            "StageDescription": shortened(one_line(note), LONGEST_NOTE),
        },
    )


def separates(text: str) -> bool:
    """Whether text has something in it that a reader would take for the start of an earlier note."""
    return _SEPARATOR.search(text) is not None


def with_history(text: str, before: str | None) -> str:
    """Return a note with what stood there before, as much of it as the registry takes.

    Text of others, such as a model's error, cannot make up an earlier note.
    """
    return shortened(BEFORE.join(filter(None, (_SEPARATOR.sub("/", one_line(text)), before))), LONGEST_NOTE)


def history(note: str | None) -> list[str]:
    """Return what stands in a note, the latest first; one text at least, which may be empty."""
    return (note or "").split(BEFORE)
