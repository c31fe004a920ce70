"""The door to the local SageMaker, light to import: `pipelines.local` itself imports this module."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.local.errors import LocalError

if TYPE_CHECKING:
    from pipelines.local.boto_session import LocalSession

DEFAULT_ROOT = ".sagemaker-local"
DEFAULT_REGION = "us-east-1"


def session(root: Path | str = DEFAULT_ROOT, *, region: str | None = None, warm_up: bool = False) -> "LocalSession":
    """Return a boto3.Session that this machine answers, from what it keeps below a root folder.

    The region is AWS_DEFAULT_REGION's or AWS_REGION's unless given. The libraries that jobs use are loaded when the
    first job starts, or, with `warm_up` and a new root where nothing can be cached, from now on in the background.

    Raises:
        LocalError: the root is no folder that this user may write to.
    """
    # Imported when it is called for, for who needs only one room below; the host first, for boto3 takes its time too.
    from pipelines.local.containers.host import Host  # noqa: PLC0415
    from pipelines.local.database import STATE  # noqa: PLC0415

    host, root = Host(), Path(root)
    if warm_up and not (root / STATE).exists():
        host.start()
    from pipelines.local.boto_session import LocalSession  # noqa: PLC0415

    region = region or os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or DEFAULT_REGION
    try:
        return LocalSession(root, region, host)
    except LocalError:
        host.close()
        raise
