"""Which image stands for which runtime of this machine."""

import re
from typing import Literal

from pipelines.local.errors import ValidationError

Runtime = Literal["sklearn", "xgboost"]

RUNTIMES: dict[str, Runtime] = {"sagemaker-scikit-learn": "sklearn", "sagemaker-xgboost": "xgboost"}
IMAGE = re.compile(r"(?:.*/)?(?P<repository>[a-z0-9._-]+)(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?")


def runtime_of(image_uri: str) -> Runtime:
    """Return the runtime that an image stands for, in any account, region and version.

    Raises:
        ValidationError: this machine runs no such image.
    """
    match = IMAGE.fullmatch(image_uri)
    runtime = RUNTIMES.get(match["repository"]) if match else None
    if runtime is None:
        supported = " and ".join(f"'{name}'" for name in RUNTIMES)
        raise ValidationError(
            f"Image '{image_uri}' does not run on this machine. Supported are the images {supported}, of any version; "
            "use one of these, or run this job in AWS."
        )
    return runtime


def library_of(image_uri: str) -> str | None:
    """Return the library that a program in an image is all but sure to use; in scikit-learn's, many use others."""
    return "xgboost" if runtime_of(image_uri) == "xgboost" else None
