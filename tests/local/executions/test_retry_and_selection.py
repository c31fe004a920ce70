"""Executions that go on from what was done before."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import Client, Execution, Pipeline
from tests.local.documents import ALWAYS, BUCKET, condition, definition, fail, output_of, shell

Create = Callable[..., Pipeline]
NEEDS_FILE = "test -e /opt/ml/processing/data/ready"


@pytest.fixture
def needs_file(create: Create, s3: Client) -> Pipeline:
    """A pipeline whose second step fails until the object `data/ready` is there."""
    s3.put_object(Bucket=BUCKET, Key="data/other", Body=b"")
    steps = [
        shell("First", "echo done > /opt/ml/processing/out/done", outputs=["out"]),
        shell("Second", NEEDS_FILE, inputs={"data": "s3://bucket/data/", "in": output_of("First", "out")}),
        shell("Third", DependsOn=["Second"]),
    ]
    return create(definition(*steps))


def test_a_retry_goes_on_under_the_same_arn_from_the_step_that_failed(
    needs_file: Pipeline, sagemaker: Client, s3: Client
) -> None:
    failed = needs_file.run()
    assert failed.statuses == {"First": "Succeeded", "Second": "Failed"}
    s3.put_object(Bucket=BUCKET, Key="data/ready", Body=b"")
    response = sagemaker.retry_pipeline_execution(PipelineExecutionArn=failed.arn)
    assert response["PipelineExecutionArn"] == failed.arn
    retried = needs_file.wait(failed.arn)
    assert retried.status == "Succeeded"
    assert "FailureReason" not in retried.description
    assert retried.statuses == dict.fromkeys(["First", "Second", "Third"], "Succeeded")
    assert retried.steps["First"] == failed.steps["First"]


def test_a_stopped_execution_can_be_retried(create: Create, sagemaker: Client, s3: Client) -> None:
    wait = f"{NEEDS_FILE} || sleep 60"
    s3.put_object(Bucket=BUCKET, Key="data/other", Body=b"")
    pipeline = create(definition(shell("Wait", wait, inputs={"data": "s3://bucket/data/"})))
    arn = pipeline.start()
    Execution(sagemaker, arn).wait_for(lambda _, steps: "Wait" in steps)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert pipeline.wait(arn).status == "Stopped"
    s3.put_object(Bucket=BUCKET, Key="data/ready", Body=b"")
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert pipeline.wait(arn).status == "Succeeded"


def test_what_succeeded_runs_or_ended_by_a_fail_step_is_not_retried(create: Create, sagemaker: Client) -> None:
    done = create(definition(condition("C", ALWAYS)), "done").run().arn
    failed = create(definition(fail("Stop")), "failed").run().arn
    slow = create(definition(shell("Slow", "sleep 60")), "slow")
    running = slow.start()
    for arn, reason in ((done, "is Succeeded"), (failed, "ended by a Fail step"), (running, "is Executing")):
        with pytest.raises(ClientError, match=reason) as caught:
            sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
        assert caught.value.response["Error"]["Code"] == "ConflictException"
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=running)
    slow.wait(running)


def test_an_execution_that_ended_cannot_be_stopped(create: Create, sagemaker: Client) -> None:
    arn = create(definition(condition("C", ALWAYS))).run().arn
    with pytest.raises(ClientError, match="is Succeeded: only an execution that runs can be stopped") as caught:
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert caught.value.response["Error"]["Code"] == "ConflictException"


def selection(*names: str, source: str | None = None) -> dict[str, Any]:
    config: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in names]}
    return {"SelectiveExecutionConfig": config | ({"SourcePipelineExecutionArn": source} if source else {})}


def test_selected_steps_run_on_the_results_of_an_earlier_execution(
    needs_file: Pipeline, s3: Client, sagemaker: Client
) -> None:
    source = needs_file.run()
    s3.put_object(Bucket=BUCKET, Key="data/ready", Body=b"")
    execution = needs_file.run(**selection("Second", source=source.arn))
    assert execution.status == "Succeeded"
    assert execution.statuses == {"First": "Succeeded", "Second": "Succeeded"}
    assert execution.steps["First"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source.arn}
    assert execution.steps["First"]["Metadata"] == source.steps["First"]["Metadata"]
    assert len(sagemaker.list_processing_jobs(NameContains="First")["ProcessingJobSummaries"]) == 1


def test_a_selection_without_anything_before_it_needs_no_source(needs_file: Pipeline) -> None:
    assert needs_file.run(**selection("First")).statuses == {"First": "Succeeded"}


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["First", "Third"], "not connected: Second lies between them"),
        (["Nobody"], "Selected step Nobody is not in the pipeline"),
        (["Second"], "SourcePipelineExecutionArn is needed for the result of step First"),
    ],
)
def test_a_selection_that_makes_no_sense_starts_nothing(
    needs_file: Pipeline, sagemaker: Client, names: list[str], reason: str
) -> None:
    with pytest.raises(ClientError, match=reason):
        needs_file.start(**selection(*names))
    assert sagemaker.list_pipeline_executions(PipelineName="pipeline")["PipelineExecutionSummaries"] == []


def test_a_source_must_have_ended_and_must_have_what_is_needed(
    needs_file: Pipeline, create: Create, sagemaker: Client
) -> None:
    failed = needs_file.run()
    with pytest.raises(ClientError, match="Step Second did not succeed in the source execution"):
        needs_file.start(**selection("Third", source=failed.arn))
    slow = create(definition(shell("Slow", "sleep 60")), "slow")
    running = slow.start()
    with pytest.raises(ClientError, match="is Executing; it must be Succeeded or Failed"):
        needs_file.start(**selection("Second", source=running))
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=running)
    slow.wait(running)
