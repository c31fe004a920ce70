"""What executions do: order, branches, failures, parameters."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import Client, Execution, Pipeline
from tests.local.documents import (
    ALWAYS,
    BUCKET,
    NEVER,
    compare,
    condition,
    create_model,
    definition,
    fail,
    json_get,
    metrics_file,
    output_of,
    parameter,
    register,
    shell,
)

Create = Callable[..., Pipeline]
WRITE_METRICS = """echo '{"auc": {"value": 0.83}, "names": ["a", "b"]}' > /opt/ml/processing/metrics/metrics.json"""


def test_a_whole_conditional_pipeline_runs_and_registers(create: Create, sagemaker: Client, s3: Client) -> None:
    s3.put_object(Bucket=BUCKET, Key="data/claims.csv", Body=b"1,2\n3,4\n")
    steps = [
        shell("Prepare", "sort /opt/ml/processing/data/claims.csv > /opt/ml/processing/out/sorted.csv", outputs=["out"],
              inputs={"data": {"Get": "Parameters.InputData"}}),
        shell("Evaluate", WRITE_METRICS + " && test -s /opt/ml/processing/data/sorted.csv", outputs=["metrics"],
              inputs={"data": output_of("Prepare", "out")}, **metrics_file("Evaluate")),
        condition(
            "Gate",
            compare("LessThanOrEqualTo", json_get("Evaluate", "auc.value"), {"Get": "Parameters.Threshold"}),
            then=[fail("TooLow", {"Std:Join": {"On": " ", "Values": ["auc", json_get("Evaluate", "auc.value")]}})],
            otherwise=[
                create_model("Model", "s3://bucket/model.tar.gz"),
                register("Register", "claims", "s3://bucket/model.tar.gz"),
            ],
        ),
    ]  # fmt: skip
    parameters = [
        parameter("InputData", DefaultValue="s3://bucket/data/"),
        parameter("Threshold", "Float", DefaultValue=0.8),
    ]
    pipeline = create(definition(*steps, parameters=parameters))

    passed = pipeline.run()
    assert passed.status == "Succeeded"
    assert passed.statuses == dict.fromkeys(["Prepare", "Evaluate", "Gate", "Model", "Register"], "Succeeded")
    assert passed.steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "False"}}
    package = sagemaker.describe_model_package(
        ModelPackageName=passed.steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert (package["ModelPackageGroupName"], package["ModelPackageVersion"]) == ("claims", 1)
    assert package["MetadataProperties"]["GeneratedBy"] == passed.arn
    model = passed.steps["Model"]["Metadata"]["Model"]["Arn"].rsplit("/", 1)[-1]
    assert sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"] == "s3://bucket/model.tar.gz"

    rejected = pipeline.run({"Threshold": "0.9"})
    assert rejected.status == "Failed"
    assert rejected.steps["TooLow"]["FailureReason"] == "auc 0.83"
    assert set(rejected.steps) == {"Prepare", "Evaluate", "Gate", "TooLow"}
    assert len(sagemaker.list_model_packages(ModelPackageGroupName="claims")["ModelPackageSummaryList"]) == 1


def test_steps_are_listed_newest_first_and_oldest_first_when_asked(create: Create, sagemaker: Client) -> None:
    execution = create(definition(shell("B", DependsOn=["A"]), shell("A"))).run()
    assert [step["StepName"] for step in execution.listed] == ["B", "A"]
    oldest = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution.arn, SortOrder="Ascending")
    assert [step["StepName"] for step in oldest["PipelineExecutionSteps"]] == ["A", "B"]
    job = execution.steps["A"]["Metadata"]["ProcessingJob"]["Arn"]
    assert f":processing-job/pipelines-{execution.arn[-12:]}-A-" in job
    assert execution.steps["A"]["StartTime"] <= execution.steps["A"]["EndTime"]


def test_more_steps_than_a_page_are_all_listed(create: Create, sagemaker: Client) -> None:
    execution = create(definition(*(condition(f"C{number}", ALWAYS) for number in range(120)))).run()
    assert len(execution.steps) == 120
    first = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution.arn, MaxResults=100)
    assert len(first["PipelineExecutionSteps"]) == 100
    with pytest.raises(ClientError, match="NextToken 'x' is not valid"):
        sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution.arn, NextToken="x")


def test_executions_are_listed_page_by_page_newest_first_however_that_is_asked_for(
    create: Create, sagemaker: Client
) -> None:
    pipeline = create(definition(condition("C", ALWAYS)))
    arns = [pipeline.run().arn for _ in range(3)]
    assert _pages(sagemaker) == [arns[:0:-1], arns[:1]]
    assert _pages(sagemaker, SortBy="CreationTime", SortOrder="Descending") == [arns[:0:-1], arns[:1]]
    assert _pages(sagemaker, CreatedAfter=datetime(2020, 1, 1, tzinfo=UTC)) == [arns[:0:-1], arns[:1]]
    assert _pages(sagemaker, SortOrder="Ascending") == [arns[:2], arns[2:]]
    for token in ("x", "9" * 19):
        with pytest.raises(ClientError, match=f"NextToken '{token}' is not valid"):
            sagemaker.list_pipeline_executions(PipelineName="pipeline", NextToken=token)


def _pages(sagemaker: Client, **asked: Any) -> list[list[str]]:
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName="pipeline", PaginationConfig={"PageSize": 2}, **asked
    )
    return [[each["PipelineExecutionArn"] for each in page["PipelineExecutionSummaries"]] for page in pages]


@pytest.mark.parametrize("limit", [1, 2])
def test_steps_beyond_the_limit_do_not_appear_before_they_start(
    create: Create, s3: Client, sagemaker: Client, limit: int
) -> None:
    pipeline = create(definition(shell("A", "sleep 60"), shell("B", "sleep 60")))
    arn = pipeline.start(ParallelismConfiguration={"MaxParallelExecutionSteps": limit})
    execution = Execution(sagemaker, arn).wait_for(lambda _, steps: len(steps) == limit)
    assert execution.statuses == dict.fromkeys("AB"[:limit], "Executing")
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    stopped = pipeline.wait(arn)
    assert stopped.status == "Stopped"
    assert stopped.statuses == dict.fromkeys("AB"[:limit], "Stopped")


def test_the_limit_can_be_raised_while_the_execution_runs(create: Create, sagemaker: Client) -> None:
    pipeline = create(
        definition(shell("A", "sleep 60"), shell("B", "sleep 60")),
        ParallelismConfiguration={"MaxParallelExecutionSteps": 1},
    )
    arn = pipeline.start()
    execution = Execution(sagemaker, arn).wait_for(lambda _, steps: len(steps) == 1)
    sagemaker.update_pipeline_execution(
        PipelineExecutionArn=arn, ParallelismConfiguration={"MaxParallelExecutionSteps": 2}
    )
    execution.wait_for(lambda _, steps: len(steps) == 2)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert pipeline.wait(arn).status == "Stopped"


def test_the_branch_not_taken_and_what_depends_on_it_do_not_appear(create: Create) -> None:
    gate = condition("Gate", NEVER, then=[shell("Yes")], otherwise=[shell("No")])
    execution = create(definition(gate, shell("AfterYes", DependsOn=["Yes"]), shell("AfterNo", DependsOn=["No"]))).run()
    assert execution.status == "Succeeded"
    assert execution.statuses == dict.fromkeys(["Gate", "No", "AfterNo"], "Succeeded")


def test_a_conditions_outcome_joins_in_lower_case(create: Create) -> None:
    text = {"Std:Join": {"On": ":", "Values": ["outcome", {"Get": "Steps.Gate.Outcome"}, {"Get": "Parameters.N"}, 7]}}
    parameters = [parameter("N", "Integer", DefaultValue=3)]
    execution = create(definition(condition("Gate", ALWAYS), fail("Say", text), parameters=parameters)).run()
    assert execution.steps["Gate"]["Metadata"]["Condition"]["Outcome"] == "True"
    assert execution.steps["Say"]["FailureReason"] == "outcome:true:3:7"


@pytest.mark.parametrize("message", ["because", ""])
def test_a_fail_step_fails_the_execution_with_its_message_on_the_step(create: Create, message: str) -> None:
    execution = create(definition(fail("Stop", message))).run()
    assert execution.status == "Failed"
    assert execution.description["FailureReason"] == "Step failure: One or multiple steps failed."
    assert execution.steps["Stop"]["Metadata"] == {"Fail": {"ErrorMessage": message}}
    assert execution.steps["Stop"].get("FailureReason") == (message or None)


def test_a_failed_job_is_told_with_its_reason_and_its_dependents_do_not_run(create: Create) -> None:
    steps = [shell("Bad", "echo broken >&2; exit 3"), shell("After", DependsOn=["Bad"]), shell("Aside")]
    execution = create(definition(*steps)).run()
    assert execution.status == "Failed"
    assert execution.statuses == {"Bad": "Failed", "Aside": "Succeeded"}
    assert execution.steps["Bad"]["FailureReason"].startswith("ClientError: AlgorithmError: ")
    assert "exit code: 3" in execution.steps["Bad"]["FailureReason"]


@pytest.mark.parametrize("trigger", ["Failed", "Any"])
def test_a_step_may_wait_for_a_failure(create: Create, trigger: str) -> None:
    steps = [shell("Bad", "exit 1"), shell("CleanUp", DependsOn=[{"Step": "Bad", "Trigger": trigger}])]
    execution = create(definition(*steps)).run()
    assert execution.status == "CompletedWithFailures"
    assert execution.statuses == {"Bad": "Failed", "CleanUp": "Succeeded"}


@pytest.mark.parametrize(
    ("content", "path", "reason"),
    [
        (None, "auc.value", "metrics.json"),
        ("{}", "auc.value", "auc"),
        ("not json", "auc.value", "JSON"),
        ('{"auc": {"value": {}}}', "auc.value", "cannot compare the value {}"),
    ],
)
def test_a_property_file_that_cannot_be_read_fails_the_step_that_asks(
    create: Create, content: str | None, path: str, reason: str
) -> None:
    write = f"echo '{content}' > /opt/ml/processing/metrics/metrics.json" if content else "true"
    gate = condition("Gate", compare("GreaterThan", json_get("Evaluate", path), 0.5))
    execution = create(
        definition(shell("Evaluate", write, outputs=["metrics"], **metrics_file("Evaluate")), gate)
    ).run()
    assert execution.statuses == {"Evaluate": "Succeeded", "Gate": "Failed"}
    failure = execution.steps["Gate"]["FailureReason"]
    assert reason in failure
    assert "\n" not in failure


@pytest.mark.parametrize(
    ("kind", "given", "outcome"),
    [("Boolean", "True", "true"), ("Boolean", "false", "false"), ("Float", "0.9", "0.9"), ("Integer", "7", "7")],
)
def test_parameters_are_read_by_their_type(create: Create, kind: str, given: str, outcome: str) -> None:
    say = fail("Say", {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.P"}]}})
    execution = create(definition(say, parameters=[parameter("P", kind)])).run({"P": given})
    assert execution.steps["Say"]["FailureReason"] == outcome


@pytest.mark.parametrize(
    ("declared", "given", "reason"),
    [
        (parameter("P", "Integer"), {"P": "abc"}, "abc"),
        (parameter("P", "Integer"), {"P": "7.5"}, "7.5"),
        (parameter("P", "Float"), {"P": "nan"}, "nan"),
        (parameter("P", "Boolean"), {"P": "yes"}, "yes"),
        (parameter("P"), {}, "P"),
        (parameter("P"), {"Q": "1", "P": "1"}, "Unknown parameter 'Q'"),
        (parameter("P", EnumValues=["a", "b"]), {"P": "c"}, "c"),
    ],
)
def test_a_parameter_that_is_not_allowed_starts_nothing(
    create: Create, sagemaker: Client, declared: dict[str, Any], given: dict[str, str], reason: str
) -> None:
    pipeline = create(definition(condition("C", ALWAYS), parameters=[declared]))
    with pytest.raises(ClientError) as caught:
        pipeline.start(given)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert reason in caught.value.response["Error"]["Message"]
    assert sagemaker.list_pipeline_executions(PipelineName="pipeline")["PipelineExecutionSummaries"] == []


def test_an_empty_parameter_starts_nothing(create: Create, sagemaker: Client) -> None:
    pipeline = create(definition(condition("C", ALWAYS), parameters=[parameter("P")]))
    with pytest.raises(ClientError, match="P"):
        pipeline.start({"P": ""})
    assert sagemaker.list_pipeline_executions(PipelineName="pipeline")["PipelineExecutionSummaries"] == []


def test_the_parameters_of_an_execution_are_listed_with_their_defaults(create: Create, sagemaker: Client) -> None:
    declared = [parameter("A", DefaultValue="x"), parameter("B", "Float", DefaultValue=0.5)]
    arn = create(definition(condition("C", ALWAYS), parameters=declared)).run({"A": "y"}).arn
    listed = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert listed == [{"Name": "A", "Value": "y"}, {"Name": "B", "Value": "0.5"}]


def test_an_execution_keeps_the_definition_that_it_began_with(create: Create, sagemaker: Client) -> None:
    old = definition(condition("Old", ALWAYS))
    pipeline = create(old)
    arn = pipeline.run().arn
    pipeline.update(definition(condition("New", ALWAYS)))
    shown = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"]
    assert json.loads(shown) == json.loads(old)
    assert set(pipeline.run().steps) == {"New"}
    assert set(pipeline.run(PipelineVersionId=1).steps) == {"Old"}


def test_the_same_request_token_starts_one_execution(create: Create, sagemaker: Client) -> None:
    pipeline = create(definition(condition("C", ALWAYS), parameters=[parameter("P", DefaultValue="x")]))
    token = "a" * 40
    first = pipeline.start(ClientRequestToken=token)
    assert pipeline.start(ClientRequestToken=token) == first
    with pytest.raises(ClientError, match="was used for another StartPipelineExecution request"):
        pipeline.start({"P": "y"}, ClientRequestToken=token)
    assert len(sagemaker.list_pipeline_executions(PipelineName="pipeline")["PipelineExecutionSummaries"]) == 1
    pipeline.wait(first)
