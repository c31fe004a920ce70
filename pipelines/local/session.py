"""The door to the local SageMaker, light to import: `pipelines.local` itself imports this module."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.local.boto_session import LocalSession

DEFAULT_ROOT = ".sagemaker-local"
DEFAULT_REGION = "us-east-1"


def session(root: Path | str = DEFAULT_ROOT, *, region: str | None = None) -> "LocalSession":
    """Return a boto3.Session that this machine answers, from what it keeps below a root folder.

    The region is AWS_DEFAULT_REGION's or AWS_REGION's unless given.

    Raises:
        LocalError: the root is no folder that this user may write to.
    """
    # Imported when it is called for: boto3 takes a tenth of a second, which who needs one room below should not pay.
    from pipelines.local.boto_session import LocalSession  # noqa: PLC0415

    region = region or os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or DEFAULT_REGION
    return LocalSession(Path(root), region)
