"""Pipeline definitions that the SageMaker SDK made, and the code that makes them."""

import os

# The SDK asks for a region while it is imported, and moto for credentials.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "none")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "none")
os.environ.setdefault("SAGEMAKER_VALIDATE_ROLE", "false")
