"""The container contract: what a SageMaker job sees at /opt/ml, and the processes that stand in for containers."""
