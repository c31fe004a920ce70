"""A SageMaker of this machine for what the delivery does in it."""

from tests.local.conftest import root, s3, sagemaker, session

__all__ = ["root", "s3", "sagemaker", "session"]
