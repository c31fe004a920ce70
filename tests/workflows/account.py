"""An AWS account on loopback: this machine's SageMaker, S3, STS and IAM, with faults on the way when asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.fraud.settings import PIPELINE_NAME
from pipelines.local.session import session
from tests.workflows.faults import FaultyProxy

PIPELINE = PIPELINE_NAME
REGION = "us-east-1"
# Named wherever a bucket can be: the SDK asks the true STS for the account of its default bucket.
BUCKET = f"sagemaker-{REGION}-000000000000"


class Account:
    """The services of one root folder, on real sockets."""

    def __init__(self, root: Path) -> None:
        self._session = session(root, region=REGION)
        url = self._session.services.serve().url
        self.proxy = FaultyProxy(url)
        self.client: Any = self._session.client("sagemaker")
        self.s3: Any = self._session.client("s3")
        # What the SDK for Python and the AWS CLI read.
        self.environment: Mapping[str, str] = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ENDPOINT_URL_SAGEMAKER": self.proxy.url,
        }

    def executions(self, pipeline: str = PIPELINE) -> list[str]:
        """Return the ARNs of a pipeline's executions."""
        if pipeline not in self._pipelines():
            return []
        pages = self.client.get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline)
        return [entry["PipelineExecutionArn"] for page in pages for entry in page["PipelineExecutionSummaries"]]

    def packages(self) -> list[str]:
        """Return the ARNs of all registered model packages."""
        pages = self.client.get_paginator("list_model_packages").paginate()
        return [entry["ModelPackageArn"] for page in pages for entry in page["ModelPackageSummaryList"]]

    def make_bucket(self, name: str = BUCKET) -> None:
        """Make a bucket, that of the variables unless named."""
        self.s3.create_bucket(Bucket=name)

    def stop(self, request: Mapping[str, Any]) -> None:
        """Stop the execution that a request is about, as a person in the console does."""
        self.client.stop_pipeline_execution(
            PipelineExecutionArn=request["PipelineExecutionArn"], ClientRequestToken="0" * 32
        )

    def close(self) -> None:
        """Free the ports, and end what runs."""
        self.proxy.close()
        self._session.close()

    def _pipelines(self) -> set[str]:
        pages = self.client.get_paginator("list_pipelines").paginate()
        return {entry["PipelineName"] for page in pages for entry in page["PipelineSummaries"]}
