"""Following an execution, by real botocore clients against scripted answers."""

import io
from threading import Event

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.errors import InterruptionError
from pipelines.delivery.execution import start
from pipelines.delivery.snapshot import TERMINAL
from tests.delivery.pipelines import NO_GATE
from tests.delivery.runs import CACHED, finish, run_of, script
from tests.delivery.scripted import (
    EARLIER,
    EXECUTION,
    Document,
    Script,
    ServiceRefusal,
    described,
    entry,
    job,
    listed,
    processed,
    trained,
    tuning,
)

TRAIN = job("TrainingJob", "train")


def test_a_start_sends_the_parameters_and_returns_the_arn() -> None:
    service = Script({"StartPipelineExecution": {"PipelineExecutionArn": EXECUTION}})
    assert start(service.session.client("sagemaker"), "fraud", {"A": "1", "B": "x=y"}) == EXECUTION
    (request,) = service.sent("StartPipelineExecution")
    assert request["PipelineParameters"] == [{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "x=y"}]
    assert len(request["ClientRequestToken"]) >= 32


def test_two_starts_without_a_token_are_two_executions() -> None:
    service = Script({"StartPipelineExecution": {"PipelineExecutionArn": EXECUTION}})
    for _ in range(2):
        start(service.session.client("sagemaker"), "fraud", {})
    first, second = service.sent("StartPipelineExecution")
    assert first["ClientRequestToken"] != second["ClientRequestToken"]


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_following_ends_on_every_terminal_status(status: str) -> None:
    executing, ended = described("Executing"), described(status)
    service = script(DescribePipelineExecution=[executing, described("Stopping"), ended])
    assert finish(service).execution.status == status
    assert service.names().count("DescribePipelineExecution") == 3


def test_all_pages_of_the_steps_are_read() -> None:
    service = script(
        ListPipelineExecutionSteps=[
            listed(entry("Preprocess"), token="more"),
            listed(entry("Train", metadata=TRAIN)),
        ]
    )
    assert [step.name for step in finish(service, run=run_of(NO_GATE)).execution.steps] == ["Preprocess", "Train"]
    assert [request.get("NextToken") for request in service.sent("ListPipelineExecutionSteps")] == [None, "more"]


def test_a_snapshot_has_what_the_service_knows_of_a_step() -> None:
    first, second = (
        entry("Preprocess", "Failed", metadata=job("ProcessingJob", "prep"), FailureReason="ClientError: no file"),
        entry("Train", metadata=TRAIN, **CACHED),
    )
    service = script(
        "Failed", [first, second], DescribeProcessingJob=processed("s3://b/x", exit_message="claims.csv is missing")
    )
    failed, cached = finish(service, run=run_of(NO_GATE)).execution.steps
    assert (failed.type, failed.status, failed.seconds, failed.job) == ("Processing", "Failed", 2.0, "prep")
    assert (failed.failure_reason, failed.exit_message) == ("ClientError: no file", "claims.csv is missing")
    assert (cached.cache_source, cached.metrics) == (EARLIER, {"train:auc": 0.95, "validation:auc": 0.8112})
    assert cached.model_uri == "s3://bucket/models/train/output/model.tar.gz"


def test_an_empty_source_of_a_cache_hit_is_no_hit() -> None:
    miss: Document = {"CacheHitResult": {"SourcePipelineExecutionArn": ""}}
    (step,) = finish(script(steps=[entry("Train", metadata=TRAIN, **miss)]), run=run_of(NO_GATE)).execution.steps
    assert step.cache_source is None


def test_a_step_without_metadata_yet_has_its_type_from_the_definition() -> None:
    service = script("Stopped", [entry("Train", "Starting")])
    (step,) = finish(service, run=run_of(NO_GATE)).execution.steps
    assert (step.type, step.arn, step.seconds) == ("Training", None, None)


def test_a_step_that_the_definition_does_not_have_is_typed_by_its_metadata() -> None:
    service = script(steps=[entry("Train-0", metadata=TRAIN)])
    (step,) = finish(service, run=run_of(NO_GATE)).execution.steps
    assert step.type == "Training"


def test_a_job_is_described_once_and_only_when_it_has_news() -> None:
    running, done = entry("Train", "Executing", metadata=TRAIN), entry("Train", metadata=TRAIN)
    service = script(
        DescribePipelineExecution=[described("Executing")] * 3 + [described("Succeeded")],
        ListPipelineExecutionSteps=[listed(running), listed(done), listed(done), listed(done)],
    )
    finish(service, run=run_of(NO_GATE))
    assert service.names().count("DescribeTrainingJob") == 1
    assert "DescribeProcessingJob" not in service.names()


def test_a_tuning_job_is_described_while_it_runs_and_once_after() -> None:
    running, done = (
        entry("Tune", "Executing", metadata=job("TuningJob", "t")),
        entry("Tune", metadata=job("TuningJob", "t")),
    )
    service = script(
        DescribePipelineExecution=[described("Executing")] * 3 + [described("Succeeded")],
        ListPipelineExecutionSteps=[listed(running), listed(running), listed(done), listed(done)],
        DescribeHyperParameterTuningJob=[tuning(0, 5), tuning(2, 3, best=0.8), tuning(5, 0, best=0.87)],
    )
    out = io.StringIO()
    (step,) = finish(service, out=out).execution.steps
    assert step.trials
    assert (step.trials.completed, step.trials.best, step.metrics) == (5, 0.87, {"validation:auc": 0.87})
    assert service.names().count("DescribeHyperParameterTuningJob") == 3
    told = [line.split("Tune: ")[1] for line in out.getvalue().splitlines()]
    assert told == [
        "running, trials 0/5",
        "running, trials 2/5, validation:auc 0.8000",
        "succeeded in 2.0 s, trials 5/5, validation:auc 0.8700",
    ]


def test_an_interrupt_stops_the_execution_and_waits_for_its_end() -> None:
    interrupt, out = Event(), io.StringIO()
    interrupt.set()
    executing, stopping, stopped = described("Executing"), described("Stopping"), described("Stopped")
    service = script(
        DescribePipelineExecution=[executing, stopping, stopped],
        StopPipelineExecution={"PipelineExecutionArn": EXECUTION},
    )
    result = finish(service, interrupt=interrupt, out=out)
    assert (result.verdict.outcome, result.verdict.exit_code) == ("failed", 1)
    assert service.names().count("StopPipelineExecution") == 1
    assert "stopping: waiting until the jobs have ended" in out.getvalue()


def test_where_an_interrupt_does_not_stop_the_execution_it_says_how_to() -> None:
    interrupt = Event()
    interrupt.set()
    service = script(DescribePipelineExecution=described("Executing"))
    with pytest.raises(InterruptionError, match="aws sagemaker stop-pipeline-execution") as caught:
        finish(service, interrupt=interrupt, stops=False)
    assert EXECUTION in str(caught.value)
    assert "StopPipelineExecution" not in service.names()


def test_an_execution_that_ended_before_it_could_be_stopped_is_judged_as_it_ended() -> None:
    interrupt = Event()
    interrupt.set()
    service = script(
        DescribePipelineExecution=[described("Executing"), described("Succeeded")],
        StopPipelineExecution=ServiceRefusal("ConflictException", "only executing ones can be stopped"),
    )
    assert finish(service, interrupt=interrupt).verdict.outcome == "registered"


def test_a_refused_stop_of_a_running_execution_is_told() -> None:
    interrupt = Event()
    interrupt.set()
    service = script(
        DescribePipelineExecution=described("Executing"),
        StopPipelineExecution=ServiceRefusal("AccessDeniedException", "not yours"),
    )
    with pytest.raises(ClientError, match="not yours"):
        finish(service, interrupt=interrupt)


def test_a_training_job_that_found_no_metric_has_none() -> None:
    answer: Document = trained()
    (step,) = finish(
        script(steps=[entry("Train", metadata=TRAIN)], DescribeTrainingJob=answer), run=run_of(NO_GATE)
    ).execution.steps
    assert step.metrics == {}
