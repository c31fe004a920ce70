"""Step caching across executions."""

from collections.abc import Callable
from typing import Any

from pipelines.local.boto_session import LocalSession
from tests.local.conftest import Client, Pipeline
from tests.local.documents import ALWAYS, condition, definition, fail, output_of, parameter, shell

Create = Callable[..., Pipeline]


def chain(first_command: str = "date +%N > /opt/ml/processing/out/stamp") -> list[dict[str, Any]]:
    """Return two cached steps, the second of which reads what the first writes."""
    copy = "cp /opt/ml/processing/data/stamp /opt/ml/processing/copy/stamp"
    return [
        shell("First", first_command, outputs=["out"], cache="P7D"),
        shell("Second", copy, outputs=["copy"], inputs={"data": output_of("First", "out")}, cache="P7D"),
    ]


def test_a_rerun_reuses_every_step_and_names_where_from(create: Create, sagemaker: Client) -> None:
    pipeline = create(definition(*chain()))
    first, second, third = pipeline.run(), pipeline.run(), pipeline.run()
    assert first.cached == set()
    assert second.cached == third.cached == {"First", "Second"}
    assert third.steps["Second"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first.arn}
    assert third.steps["Second"]["Metadata"] == first.steps["Second"]["Metadata"]
    jobs = sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
    assert len(jobs) == 2


def test_a_step_after_a_reused_one_gets_the_old_outputs(create: Create, s3: Client) -> None:
    pipeline = create(definition(*chain()))
    first = pipeline.run()
    pipeline.update(definition(chain()[0], shell("Other", "true", inputs={"data": output_of("First", "out")})))
    second = pipeline.run()
    assert second.cached == {"First"}
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    assert f"runs/{first.arn[-12:]}/First/output/out/stamp" in keys
    assert not any(second.arn[-12:] in key for key in keys)


def test_a_change_runs_the_step_and_all_that_read_from_it_again(create: Create) -> None:
    pipeline = create(definition(*chain()))
    pipeline.run()
    pipeline.update(definition(*chain("echo changed > /opt/ml/processing/out/stamp")))
    assert pipeline.run().cached == set()


def test_what_does_not_count_may_change(create: Create) -> None:
    step = shell("Only", cache="P7D")
    pipeline = create(definition(step))
    pipeline.run()
    step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] = "ml.c5.xlarge"
    step["Arguments"]["RoleArn"] += "2"
    step["Arguments"]["StoppingCondition"] = {"MaxRuntimeInSeconds": 600}
    pipeline.update(definition(step))
    assert pipeline.run().cached == {"Only"}


def test_a_failed_run_is_never_reused(create: Create) -> None:
    pipeline = create(definition(shell("Only", "exit 1", cache="P7D")))
    assert pipeline.run().status == "Failed"
    again = pipeline.run()
    assert again.status == "Failed"
    assert again.cached == set()


def test_a_finished_step_of_a_failed_execution_is_reused(create: Create) -> None:
    pipeline = create(definition(shell("Only", cache="P7D"), fail("Stop")))
    assert pipeline.run().status == "Failed"
    assert pipeline.run().cached == {"Only"}


def test_a_step_whose_outputs_were_deleted_runs_again(create: Create, s3: Client, session: LocalSession) -> None:
    pipeline = create(definition(*chain()))
    first = pipeline.run()
    key = f"runs/{first.arn[-12:]}/First/output/out/stamp"
    s3.delete_object(Bucket="bucket", Key=key)
    second = pipeline.run()
    assert second.status == "Succeeded"
    assert second.cached == set()
    reasons = session.sagemaker.cache_reasons(second.arn)
    assert reasons["First"] == f"what the same run made is gone: s3://bucket/{key.removesuffix('/stamp')}"


def test_a_step_that_writes_nothing_is_reused_all_the_same(create: Create) -> None:
    pipeline = create(definition(shell("Only", "true", outputs=["out"], cache="P7D")))
    pipeline.run()
    assert pipeline.run().cached == {"Only"}


def test_another_pipeline_does_not_share_the_cache(create: Create) -> None:
    text = definition(shell("Only", cache="P7D"))
    create(text, "one").run()
    assert create(text, "two").run().cached == set()


def test_a_step_without_caching_runs_each_time(create: Create) -> None:
    pipeline = create(definition(shell("Only")))
    pipeline.run()
    assert pipeline.run().cached == set()


def test_the_execution_id_in_an_input_is_a_permanent_miss(create: Create) -> None:
    step = shell("Only", cache="P7D")
    step["Arguments"]["Environment"] = {"RUN": {"Get": "Execution.PipelineExecutionId"}}
    pipeline = create(definition(step))
    pipeline.run()
    assert pipeline.run().cached == set()


def test_every_step_tells_why_it_ran_or_not(create: Create, session: LocalSession) -> None:
    step = shell("Step", cache="P7D")
    step["Arguments"]["Environment"] = {"LEVEL": {"Get": "Parameters.Level"}}
    declared = [parameter("Level", DefaultValue="1")]
    pipeline = create(definition(step, shell("Plain"), condition("Gate", ALWAYS), parameters=declared))
    first, second, third = pipeline.run(), pipeline.run(), pipeline.run({"Level": "2"})
    assert session.sagemaker.cache_reasons(first.arn) == {
        "Step": "no earlier run of this step succeeded",
        "Plain": "caching is off for this step",
    }
    assert (
        session.sagemaker.cache_reasons(second.arn)["Step"]
        == f"nothing that counts has changed since {first.arn[-12:]}"
    )
    assert session.sagemaker.cache_reasons(third.arn)["Step"] == (
        'changed since its last success: Environment.LEVEL was "1", is "2"'
    )
