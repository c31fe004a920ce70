"""The life cycle of a model package in the registry: which stage it has reached, and how it went there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

from pipelines.delivery.wording import one_line, shortened

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

Stage = Literal["staging", "production"]
StageStatus = Literal["Approved", "Rejected", "Deployed", "RolledBack"]

STAGES: tuple[Stage, ...] = get_args(Stage)
ROLLED_BACK: Final = "RolledBack"
# Of ApprovalDescription, and of StageDescription too.
LONGEST_NOTE = 1024


def set_stage(client: SageMakerClient, arn: str, stage: Stage, status: StageStatus, note: str) -> None:
    """Write down where a model package is; a package has one stage, which takes the place of the one before.

    The note says who and why; what is too long of it is cut off.
    """
    client.update_model_package(
        ModelPackageArn=arn,
        ModelLifeCycle={
            "Stage": stage,
            "StageStatus": status,
            "StageDescription": shortened(one_line(note), LONGEST_NOTE),
        },
    )
