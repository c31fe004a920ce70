"""What makes two starts the same run: commit, pipeline, definition and parameters."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.delivery.definition import Run

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

_SHOWN_OF_COMMIT, _SHOWN_OF_TOKEN = 12, 32


@dataclass(frozen=True)
class Identity:
    """A run that is to have one execution, however often it is asked for: its request token and its display name.

    The service forgets tokens after a time that it does not tell; the name stays, so a late try finds it too.
    """

    token: str
    name: str


def identify(commit: str, pipeline: str, run: Run, key: str | None = None) -> Identity:
    """Return the identity of a commit's run; another key makes it another run."""
    parts = [commit, pipeline, sorted(run.parameters.items()), json.loads(run.definition.text), key]
    token = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return Identity(token, f"commit-{commit[:_SHOWN_OF_COMMIT]}-{token[:_SHOWN_OF_TOKEN]}")


def find_execution(client: SageMakerClient, pipeline: str, identity: Identity) -> str | None:
    """Return the ARN of the execution that was started for this identity before."""
    pages = client.get_paginator("list_pipeline_executions").paginate(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", PaginationConfig={"PageSize": 100}
    )
    try:
        for page in pages:
            for execution in page["PipelineExecutionSummaries"]:
                if execution.get("PipelineExecutionDisplayName") == identity.name:
                    return execution["PipelineExecutionArn"]
    except client.exceptions.ResourceNotFound:
        return None
    return None
