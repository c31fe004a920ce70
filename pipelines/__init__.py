"""A SageMaker pipeline, its delivery, and the SageMaker of this machine."""
