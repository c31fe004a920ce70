"""Jobs through the API, without a pipeline around them."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import Client, Pipeline
from tests.local.documents import definition, shell


def create_job(sagemaker: Client, name: str, command: str = "true") -> None:
    sagemaker.create_processing_job(ProcessingJobName=name, **shell("x", command)["Arguments"])


def wait_for(sagemaker: Client, name: str, *statuses: str) -> dict[str, object]:
    while True:
        job: dict[str, object] = sagemaker.describe_processing_job(ProcessingJobName=name)
        if job["ProcessingJobStatus"] in statuses:
            return job


def test_a_job_runs_and_is_described(sagemaker: Client) -> None:
    create_job(sagemaker, "one", "exit 4")
    job = wait_for(sagemaker, "one", "Failed")
    assert job["ProcessingJobArn"] == "arn:aws:sagemaker:us-east-1:000000000000:processing-job/one"
    assert "exit code: 4" in str(job["FailureReason"])


def test_a_running_job_is_stopped(sagemaker: Client) -> None:
    create_job(sagemaker, "slow", "sleep 60")
    sagemaker.stop_processing_job(ProcessingJobName="slow")
    assert wait_for(sagemaker, "slow", "Stopped", "Completed", "Failed")["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="not running on its own in this process"):
        sagemaker.stop_processing_job(ProcessingJobName="slow")


def test_a_name_is_used_once(sagemaker: Client) -> None:
    create_job(sagemaker, "one")
    with pytest.raises(ClientError, match="one") as caught:
        create_job(sagemaker, "one", "exit 1")
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    wait_for(sagemaker, "one", "Completed")


def test_jobs_are_listed_by_name_part_and_status(sagemaker: Client) -> None:
    for name, command in (("good-1", "true"), ("bad-1", "false"), ("good-2", "true")):
        create_job(sagemaker, name, command)
        wait_for(sagemaker, name, "Completed", "Failed")

    def names(**more: object) -> list[str]:
        jobs = sagemaker.list_processing_jobs(**more)["ProcessingJobSummaries"]
        return [job["ProcessingJobName"] for job in jobs]

    assert names() == ["good-2", "bad-1", "good-1"]
    assert names(NameContains="GOOD", SortBy="Name", SortOrder="Ascending") == ["good-1", "good-2"]
    assert names(StatusEquals="Failed") == ["bad-1"]
    assert names(MaxResults=1) == ["good-2"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda client: client.describe_processing_job(ProcessingJobName="ghost"), "ValidationException"),
        (lambda client: client.describe_training_job(TrainingJobName="ghost"), "ValidationException"),
        (
            lambda client: client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="ghost"),
            "ResourceNotFound",
        ),
        (lambda client: client.stop_training_job(TrainingJobName="ghost"), "ValidationException"),
    ],
)
def test_a_job_that_is_not_there_is_named(sagemaker: Client, call: Callable[[Client], object], code: str) -> None:
    with pytest.raises(ClientError, match="ghost") as caught:
        call(sagemaker)
    assert caught.value.response["Error"]["Code"] == code


def test_the_job_of_a_pipeline_is_stopped_by_its_execution_only(
    create: Callable[..., Pipeline], sagemaker: Client
) -> None:
    pipeline = create(definition(shell("Slow", "sleep 60")))
    arn = pipeline.start()
    while not (jobs := sagemaker.list_processing_jobs()["ProcessingJobSummaries"]):
        pass
    with pytest.raises(ClientError, match="belongs to a pipeline execution"):
        sagemaker.stop_processing_job(ProcessingJobName=jobs[0]["ProcessingJobName"])
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    pipeline.wait(arn)


def test_an_operation_that_this_machine_does_not_have_is_told_at_once(sagemaker: Client) -> None:
    with pytest.raises(ClientError, match="this machine does not answer sagemaker:ListApps"):
        sagemaker.list_apps()
