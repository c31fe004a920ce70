"""Pipelines through the API: created, updated, described, listed, deleted."""

import json
import os
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from pipelines.local.boto_session import LocalSession
from tests.local.conftest import Client, Pipeline
from tests.local.documents import ALWAYS, BUCKET, ROLE, condition, definition, shell

Create = Callable[..., Pipeline]
ONE_STEP = definition(condition("C", ALWAYS))


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_pipeline_is_described_as_it_was_created(create: Create, sagemaker: Client) -> None:
    create(ONE_STEP, PipelineDescription="one condition", PipelineDisplayName="shown")
    described = sagemaker.describe_pipeline(PipelineName="pipeline")
    assert described["PipelineArn"] == "arn:aws:sagemaker:us-east-1:000000000000:pipeline/pipeline"
    assert described["PipelineDefinition"] == ONE_STEP
    assert (described["PipelineDescription"], described["PipelineDisplayName"]) == ("one condition", "shown")
    assert (described["PipelineStatus"], described["RoleArn"]) == ("Active", ROLE)
    assert sagemaker.describe_pipeline(PipelineName=described["PipelineArn"])["PipelineName"] == "pipeline"


def test_a_second_pipeline_of_the_same_name_is_refused_in_the_words_that_the_sdk_looks_for(
    create: Create, sagemaker: Client
) -> None:
    create(ONE_STEP)
    with pytest.raises(ClientError, match=r"must be unique within an AWS account and region.*already exists") as caught:
        create(definition(condition("Other", ALWAYS)))
    assert code_of(caught) == "ValidationException"
    assert sagemaker.describe_pipeline(PipelineName="pipeline")["PipelineDefinition"] == ONE_STEP


def test_an_update_makes_a_new_version_and_keeps_what_it_does_not_name(create: Create, sagemaker: Client) -> None:
    create(ONE_STEP, PipelineDescription="first")
    other = definition(condition("Other", ALWAYS))
    response = sagemaker.update_pipeline(PipelineName="pipeline", PipelineDefinition=other)
    assert response["PipelineVersionId"] == 2
    described = sagemaker.describe_pipeline(PipelineName="pipeline")
    assert (described["PipelineDefinition"], described["PipelineDescription"]) == (other, "first")
    old = sagemaker.describe_pipeline(PipelineName="pipeline", PipelineVersionId=1)
    assert old["PipelineDefinition"] == ONE_STEP


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Unable to parse pipeline definition."),
        (json.dumps({"Version": "2020-12-01"}), "Unable to parse pipeline definition."),
        (ONE_STEP.replace("Condition", "Mystery"), "Mystery"),
        (definition(shell("A", DependsOn=["B"]), shell("B", DependsOn=["A"])), "A -> B -> A"),
        (definition(shell("A"), shell("A")), "A"),
    ],
)
def test_a_definition_that_is_not_allowed_creates_and_changes_nothing(
    create: Create, sagemaker: Client, text: str, reason: str
) -> None:
    with pytest.raises(ClientError, match="Unable to parse pipeline definition") as caught:
        create(text)
    assert code_of(caught) == "ValidationException"
    assert reason in str(caught.value)
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []
    create(ONE_STEP)
    with pytest.raises(ClientError, match="Unable to parse pipeline definition"):
        sagemaker.update_pipeline(PipelineName="pipeline", PipelineDefinition=text)
    assert sagemaker.describe_pipeline(PipelineName="pipeline")["PipelineDefinition"] == ONE_STEP


@pytest.mark.parametrize("name", ["../x", "a/../b", "a b", "ä", "-", "x" * 257])
def test_a_name_that_is_none_creates_nothing(sagemaker: Client, name: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=ONE_STEP, RoleArn=ROLE),
        lambda: sagemaker.create_model_package_group(ModelPackageGroupName=name),
        lambda: sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE),
    ]
    for call in calls:
        with pytest.raises(ClientError) as caught:
            call()
        assert code_of(caught) == "ValidationException"
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []
    assert sagemaker.list_models()["Models"] == []


def test_a_definition_may_come_from_s3(sagemaker: Client, s3: Client) -> None:
    s3.put_object(Bucket=BUCKET, Key="definition.json", Body=ONE_STEP.encode())
    location = {"Bucket": BUCKET, "ObjectKey": "definition.json"}
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinitionS3Location=location, RoleArn=ROLE)
    assert sagemaker.describe_pipeline(PipelineName="p")["PipelineDefinition"] == ONE_STEP


def test_a_definition_comes_from_exactly_one_place(sagemaker: Client, s3: Client) -> None:
    location = {"Bucket": BUCKET, "ObjectKey": "definition.json"}
    both = {"PipelineDefinition": ONE_STEP, "PipelineDefinitionS3Location": location}
    for given in (both, {}):
        with pytest.raises(ClientError, match="exactly one of PipelineDefinition and PipelineDefinitionS3Location"):
            sagemaker.create_pipeline(PipelineName="p", RoleArn=ROLE, **given)
    with pytest.raises(ClientError, match=r"definition\.json"):
        sagemaker.create_pipeline(PipelineName="p", RoleArn=ROLE, PipelineDefinitionS3Location=location)
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []


def test_a_pipeline_that_is_not_there_is_named(sagemaker: Client) -> None:
    calls: list[Callable[[], object]] = [
        lambda: sagemaker.describe_pipeline(PipelineName="ghost"),
        lambda: sagemaker.update_pipeline(PipelineName="ghost", PipelineDescription="x"),
        lambda: sagemaker.start_pipeline_execution(PipelineName="ghost"),
        lambda: sagemaker.list_pipeline_executions(PipelineName="ghost"),
        lambda: sagemaker.delete_pipeline(PipelineName="ghost"),
    ]
    for call in calls:
        with pytest.raises(ClientError, match="pipeline/ghost' does not exist") as caught:
            call()
        assert code_of(caught) == "ResourceNotFound"


def test_pipelines_are_listed_by_prefix_order_and_page(create: Create, sagemaker: Client) -> None:
    for name in ("b1", "a1", "a2"):
        create(ONE_STEP, name)

    def names(**more: object) -> list[str]:
        return [summary["PipelineName"] for summary in sagemaker.list_pipelines(**more)["PipelineSummaries"]]

    assert names() == ["a2", "a1", "b1"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["a1", "a2", "b1"]
    assert names(PipelineNamePrefix="a", SortOrder="Ascending") == ["a1", "a2"]
    pages = sagemaker.get_paginator("list_pipelines").paginate(PaginationConfig={"PageSize": 2})
    assert [len(page["PipelineSummaries"]) for page in pages] == [2, 1]


def test_a_deleted_pipeline_takes_its_executions_along(create: Create, sagemaker: Client) -> None:
    pipeline = create(ONE_STEP)
    arn = pipeline.run().arn
    sagemaker.delete_pipeline(PipelineName="pipeline")
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    create(ONE_STEP)
    assert sagemaker.list_pipeline_executions(PipelineName="pipeline")["PipelineExecutionSummaries"] == []


def test_the_next_pipeline_of_its_name_has_neither_its_tags_nor_its_cache(create: Create, sagemaker: Client) -> None:
    text = definition(shell("Only", cache="P7D"))
    token = "0" * 32
    first = create(text)
    arn = first.start(ClientRequestToken=token)
    first.wait(arn)
    (pipeline_arn,) = (each["PipelineArn"] for each in sagemaker.list_pipelines()["PipelineSummaries"])
    sagemaker.add_tags(ResourceArn=pipeline_arn, Tags=[{"Key": "commit", "Value": "1"}])
    sagemaker.delete_pipeline(PipelineName="pipeline")
    second = create(text)
    again = second.start(ClientRequestToken=token)
    assert again != arn
    assert second.wait(again).cached == set()
    assert sagemaker.list_tags(ResourceArn=pipeline_arn)["Tags"] == []


def test_a_pipeline_with_a_running_execution_is_not_deleted(create: Create, sagemaker: Client) -> None:
    pipeline = create(definition(shell("Slow", "sleep 60")))
    arn = pipeline.start()
    with pytest.raises(ClientError, match="executions that run") as caught:
        sagemaker.delete_pipeline(PipelineName="pipeline")
    assert code_of(caught) == "ConflictException"
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    pipeline.wait(arn)


def test_executions_are_listed_newest_first_with_their_reasons(create: Create, sagemaker: Client) -> None:
    pipeline = create(definition(shell("Bad", "exit 1")))
    first = pipeline.run(PipelineExecutionDisplayName="first", PipelineExecutionDescription="of two").arn
    second = pipeline.run().arn
    summaries = sagemaker.list_pipeline_executions(PipelineName="pipeline")["PipelineExecutionSummaries"]
    assert [summary["PipelineExecutionArn"] for summary in summaries] == [second, first]
    assert summaries[1]["PipelineExecutionDisplayName"] == "first"
    assert summaries[1]["PipelineExecutionDescription"] == "of two"
    assert summaries[0]["PipelineExecutionFailureReason"] == "Step failure: One or multiple steps failed."
    last_run = sagemaker.describe_pipeline(PipelineName="pipeline")["LastRunTime"]
    assert last_run == summaries[0]["StartTime"]


def test_tags_are_kept_changed_and_removed(create: Create, sagemaker: Client) -> None:
    create(ONE_STEP, Tags=[{"Key": "team", "Value": "fraud"}])
    arn = sagemaker.describe_pipeline(PipelineName="pipeline")["PipelineArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "commit", "Value": "abc"}, {"Key": "team", "Value": "claims"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "team", "Value": "claims"},
        {"Key": "commit", "Value": "abc"},
    ]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "commit", "Value": "abc"}]


@pytest.fixture
def region() -> Iterator[None]:
    """The SDK asks for a region when it is imported, and has no other way to be told."""
    before = os.environ.get("AWS_DEFAULT_REGION")
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    yield
    if before is None:
        del os.environ["AWS_DEFAULT_REGION"]


@pytest.mark.usefixtures("region")
@pytest.mark.filterwarnings("ignore")
def test_the_sdk_upserts_starts_and_follows_on_this_machine(session: LocalSession, s3: Client) -> None:
    from sagemaker.core.workflow.conditions import ConditionEquals  # noqa: PLC0415 -- it needs the region
    from sagemaker.core.workflow.parameters import ParameterInteger  # noqa: PLC0415
    from sagemaker.core.workflow.pipeline_context import PipelineSession  # noqa: PLC0415
    from sagemaker.mlops.workflow.condition_step import ConditionStep  # noqa: PLC0415
    from sagemaker.mlops.workflow.fail_step import FailStep  # noqa: PLC0415
    from sagemaker.mlops.workflow.pipeline import Pipeline as SdkPipeline  # noqa: PLC0415

    quiet = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
    sdk_session = PipelineSession(boto_session=session, default_bucket=BUCKET, sagemaker_config=quiet)
    number = ParameterInteger(name="N", default_value=1)
    gate = ConditionStep(
        name="Gate",
        conditions=[ConditionEquals(left=number, right=1)],
        if_steps=[],
        else_steps=[FailStep(name="Stop", error_message="not one")],
    )
    pipeline = SdkPipeline(name="sdk", parameters=[number], steps=[gate], sagemaker_session=sdk_session)
    first = pipeline.upsert(role_arn=ROLE)
    assert pipeline.upsert(role_arn=ROLE)["PipelineArn"] == first["PipelineArn"]
    passed = pipeline.start()
    passed.wait(delay=1)
    assert passed.describe()["PipelineExecutionStatus"] == "Succeeded"
    rejected = pipeline.start(parameters={"N": 2})
    with pytest.raises(Exception, match="Waiter"):
        rejected.wait(delay=1)
    assert [step["StepName"] for step in rejected.list_steps()] == ["Stop", "Gate"]
