"""Jobs that this machine cannot run are refused before anything runs."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import Client, Pipeline
from tests.local.documents import NEVER, condition, definition, parameter, shell


def with_image(image: Any) -> dict[str, Any]:
    step = shell("Job")
    step["Arguments"]["AppSpecification"]["ImageUri"] = image
    return step


def with_count(count: Any) -> dict[str, Any]:
    step = shell("Job")
    step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = count
    return step


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (with_count(2), "InstanceCount is 2"),
        (with_count({"Get": "Parameters.Count"}), "InstanceCount is 3"),
        (with_image("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3"), "pytorch-training"),
        (with_image({"Get": "Parameters.Image"}), "my-own"),
    ],
)
def test_a_job_that_cannot_run_here_starts_nothing_though_its_branch_might_not_be_taken(
    create: Callable[..., Pipeline], sagemaker: Client, job: dict[str, Any], reason: str
) -> None:
    declared = [
        parameter("Count", "Integer", DefaultValue=3),
        parameter("Image", DefaultValue="1.dkr.ecr.us-east-1.amazonaws.com/my-own:1"),
    ]
    pipeline = create(definition(condition("Gate", NEVER, then=[job]), parameters=declared))
    with pytest.raises(ClientError) as caught:
        pipeline.start()
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    message = caught.value.response["Error"]["Message"]
    assert reason in message
    assert "step 'Job'" in message
    assert sagemaker.list_pipeline_executions(PipelineName="pipeline")["PipelineExecutionSummaries"] == []


def test_what_depends_on_another_step_is_checked_when_its_job_is_created(create: Callable[..., Pipeline]) -> None:
    image = {"Get": "Steps.First.AppSpecification.ContainerEntrypoint[0]"}
    execution = create(definition(shell("First"), with_image(image))).run()
    assert execution.statuses == {"First": "Succeeded", "Job": "Failed"}
    assert "/bin/sh" in execution.steps["Job"]["FailureReason"]
