"""An execution as runs of MLflow: its verdict and numbers, the jobs below it, and what came from the cache."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from pipelines.delivery.errors import DeliveryError
from pipelines.delivery.tracking import Tracking, track_execution, track_result
from tests.delivery import scripted
from tests.delivery.report.examples import document
from tests.delivery.report.test_gather import IMPORTANCE, OBJECTS
from tests.delivery.report.test_gather import service as reported
from tests.delivery.runs import TUNED_STEPS, finish, run_of, site
from tests.delivery.scripted import EARLIER, EXECUTION, PACKAGE, Document, Script, ServiceRefusal, entry, job, processed
from tests.delivery.tracking.experiments import Experiments
from tests.delivery.tracking.test_training import TUNING, described, trial

FRESH_STEPS = (entry("Train", metadata=job("TrainingJob", "train")), *TUNED_STEPS[1:])
CACHED = {"CacheHitResult": {"SourcePipelineExecutionArn": EARLIER}}
CACHED_STEPS = tuple({**step, **CACHED} if step["StepName"] in {"Train", "Tune"} else step for step in FRESH_STEPS)
RUN, EARLIER_RUN = EXECUTION.rpartition("/")[2], EARLIER.rpartition("/")[2]


def service(arn: str = EXECUTION, *, steps: Any = FRESH_STEPS, status: str = "Succeeded", **answers: Any) -> Script:
    """A service where an execution of the pipeline with two branches has ended."""
    parameters = [{"Name": "RocAucThreshold", "Value": "0.84"}, {"Name": "InputData", "Value": "s3://bucket/data"}]
    known: dict[str, Any] = {
        "objects": OBJECTS | {"s3://bucket/tuned/feature_importance.json": IMPORTANCE},
        "DescribePipelineExecution": scripted.described(status) | {"PipelineExecutionArn": arn},
        "DescribePipelineDefinitionForExecution": {"PipelineDefinition": run_of().definition.text},
        "ListPipelineParametersForExecution": {"PipelineParameters": parameters},
        "DescribeTrainingJob": described,
        "DescribeProcessingJob": evaluated,
        "DescribeHyperParameterTuningJob": TUNING,
        "ListTrainingJobsForHyperParameterTuningJob": {"TrainingJobSummaries": [trial(1, 0.8), trial(3, 0.9)]},
    }
    return reported(steps=steps, status=status, **{**known, **answers})


def evaluated(request: Document) -> Document:
    """DescribeProcessingJob's answer for the evaluation of the first or the tuned model."""
    return processed(f"s3://bucket/{'tuned' if request['ProcessingJobName'] == 'evaluate-tuned' else 'untuned'}")


def track(made: Script, tracking: Tracking, arn: str = EXECUTION) -> str:
    return track_execution(site(made), arn, tracking)


def test_an_execution_is_a_run_of_its_pipelines_experiment(tracking: Tracking, experiments: Experiments) -> None:
    run_id = track(service(), tracking)
    assert experiments.names() == {"fraud"}
    run = experiments.run("fraud", RUN)
    assert (run.info.run_id, run.info.status) == (run_id, "FINISHED")
    assert run.info.end_time - run.info.start_time == 12_500
    assert run.data.params == {"RocAucThreshold": "0.84", "InputData": "s3://bucket/data"}
    assert {name: run.data.metrics[name] for name in ("roc_auc", "untuned_roc_auc", "threshold", "auc")} == {
        "roc_auc": 0.8643,
        "untuned_roc_auc": 0.8071,
        "threshold": 0.84,
        "auc": 0.8643,
    }
    assert run.data.metrics["difference"] == pytest.approx(0.0143)


def test_its_tags_say_what_became_of_it_and_where_that_is(tracking: Tracking, experiments: Experiments) -> None:
    track(service(), tracking)
    tags = experiments.run("fraud", RUN).data.tags
    told = {name: value for name, value in tags.items() if name not in ("sagemaker.recorded", "mlflow.note.content")}
    assert told == {
        "sagemaker.arn": EXECUTION,
        "sagemaker.kind": "execution",
        "status": "Succeeded",
        "verdict": "registered",
        "reason": "RegisterTuned registered model package fraud/3",
        "cached_steps": "0 of 6",
        "data_hash": "beef",
        "model": "s3://bucket/models/tune-001/output/model.tar.gz",
        "evaluation": "s3://bucket/tuned/evaluation.json",
        "model_package": PACKAGE,
        "approval": "PendingManualApproval",
        "mlflow.runName": RUN,
        "mlflow.source.name": "fraud",
        "mlflow.source.type": "JOB",
        "mlflow.source.git.commit": "0123abcd",
    }


def test_its_files_are_the_report_the_definition_the_evaluations_and_the_plots(
    tracking: Tracking, experiments: Experiments
) -> None:
    track(service(), tracking)
    files = experiments.files(experiments.run("fraud", RUN))
    names = ("pipeline", "roc", "precision-recall", "confusion-matrix", "trials", "feature-importance")
    assert set(files) == {
        "report.html",
        "report.md",
        "definition.json",
        "evaluation/Evaluate.json",
        "evaluation/EvaluateTuned.json",
        *(f"plots/{name}.svg" for name in names),
    }
    assert "Registered" in files["report.html"]
    assert files["definition.json"] == run_of().definition.text
    evaluation = json.loads(files["evaluation/EvaluateTuned.json"])
    assert evaluation["binary_classification_metrics"]["auc"]["value"] == 0.8643
    for name in names:
        picture = ElementTree.fromstring(files[f"plots/{name}.svg"])
        assert (picture.tag, int(picture.attrib["width"]) > 100) == ("{http://www.w3.org/2000/svg}svg", True)


def test_jobs_are_below_the_execution_and_trials_below_their_job(tracking: Tracking, experiments: Experiments) -> None:
    track(service(), tracking)
    assert experiments.children("fraud", None) == [RUN]
    assert experiments.children("fraud", RUN) == ["Train", "Tune"]
    assert experiments.children("fraud", "Tune") == ["trial 1", "trial 2 (best)"]
    assert experiments.run("fraud", "Train").data.params["max_depth"] == "3"
    assert "cached_from" not in experiments.run("fraud", "Train").data.tags


def test_a_step_from_the_cache_says_so_and_leads_to_where_it_ran(tracking: Tracking, experiments: Experiments) -> None:
    source = track(service(EARLIER), tracking, EARLIER)
    track(service(steps=CACHED_STEPS), tracking)
    (place,) = {run.info.experiment_id for run in experiments.runs("fraud")}
    link = f"[`{EARLIER_RUN}`](#/experiments/{place}/runs/{source})"
    note = experiments.run("fraud", RUN).data.tags["mlflow.note.content"]
    assert f"| `Train` | cached from {link} |" in note
    jobs = {run.info.run_name: run.data for run in experiments.runs("fraud") if "cached_from" in run.data.tags}
    assert set(jobs) == {"Train", "Tune"}
    assert jobs["Train"].tags["cached_from"] == EARLIER
    assert link in jobs["Train"].tags["mlflow.note.content"]
    assert jobs["Tune"].metrics == {"validation:auc": 0.9}
    assert [run.info.run_name for run in experiments.runs("fraud")].count("trial 1") == 1


def test_a_source_that_was_not_recorded_is_recorded_with_its_trials(
    tracking: Tracking, experiments: Experiments
) -> None:
    track(cached_service("Succeeded"), tracking)
    assert experiments.children("fraud", None) == sorted([RUN, EARLIER_RUN])
    assert "trial 1" in {run.info.run_name for run in experiments.runs("fraud")}
    source = experiments.run("fraud", EARLIER_RUN).info.run_id
    note = experiments.run("fraud", RUN).data.tags["mlflow.note.content"]
    assert f"/runs/{source}) |" in note


def test_a_source_whose_recording_was_cut_off_is_completed(tracking: Tracking, experiments: Experiments) -> None:
    place = experiments.client.create_experiment("fraud", tracking.artifacts)
    experiments.client.create_run(place, tags={"sagemaker.arn": EARLIER}, run_name=EARLIER_RUN)
    track(cached_service("Succeeded"), tracking)
    assert experiments.run("fraud", EARLIER_RUN).info.status == "FINISHED"
    assert experiments.children("fraud", EARLIER_RUN) == ["Train", "Tune"]


@pytest.mark.parametrize("status", [None, "Executing"])
def test_a_source_that_is_gone_or_still_runs_is_named_all_the_same(
    tracking: Tracking, experiments: Experiments, status: str | None
) -> None:
    track(cached_service(status), tracking)
    assert experiments.children("fraud", None) == [RUN]
    note = experiments.run("fraud", RUN).data.tags["mlflow.note.content"]
    assert f"| `Train` | cached from `{EARLIER_RUN}` |" in note


def cached_service(source: str | None) -> Script:
    """A service where an execution has steps from an earlier one, of which it tells the status, or nothing at all."""

    def told(request: Document) -> Document:
        arn = request["PipelineExecutionArn"]
        return scripted.described("Succeeded" if arn == EXECUTION else source or "") | {"PipelineExecutionArn": arn}

    def steps_of(request: Document) -> Document:
        return scripted.listed(*(CACHED_STEPS if request["PipelineExecutionArn"] == EXECUTION else FRESH_STEPS))

    definition = {"PipelineDefinition": run_of().definition.text}
    gone = ServiceRefusal("ResourceNotFound", "no such execution")
    return service(
        DescribePipelineExecution=told,
        ListPipelineExecutionSteps=steps_of,
        DescribePipelineDefinitionForExecution=[definition, *([] if source else [gone])],
    )


def test_a_metric_with_an_odd_name_or_no_finite_value_keeps_no_run_from_being_recorded(
    tracking: Tracking, experiments: Experiments
) -> None:
    report = document(auc=0.8643)
    report["binary_classification_metrics"] |= {
        "../../etc": {"value": 0.5},
        "endless": {"value": 10**400},
        "none": {"value": float("nan")},
        "all": {"value": float("inf")},
    }
    objects = OBJECTS | {"s3://bucket/tuned/evaluation.json": json.dumps(report)}
    track(service(objects=objects), tracking)
    run = experiments.run("fraud", RUN)
    assert (run.info.status, run.data.metrics["__.._etc"], run.data.metrics["auc"]) == ("FINISHED", 0.5, 0.8643)
    assert not {"endless", "none", "all"} & set(run.data.metrics)


def test_recorded_again_it_is_the_same_runs(tracking: Tracking, experiments: Experiments) -> None:
    first = track(service(), tracking)
    before = {run.info.run_id: run.data.to_dictionary() for run in experiments.runs("fraud")}
    assert track(service(), tracking) == first
    assert {run.info.run_id: run.data.to_dictionary() for run in experiments.runs("fraud")} == before


@pytest.mark.parametrize(
    ("status", "verdict", "word"), [("Failed", "failed", "FAILED"), ("Stopped", "failed", "KILLED")]
)
def test_a_run_that_broke_is_recorded_as_far_as_it_came(
    tracking: Tracking, experiments: Experiments, status: str, verdict: str, word: str
) -> None:
    steps = [entry("Train", status, metadata=job("TrainingJob", "train"), FailureReason="AlgorithmError: nan")]
    made = service(steps=steps, status=status, DescribeTrainingJob=lambda sent: described(sent) | broken(status))
    track(made, tracking)
    run = experiments.run("fraud", RUN)
    assert (run.info.status, run.data.tags["verdict"]) == (word, verdict)
    assert experiments.run("fraud", "Train").info.status == word
    assert "roc_auc" not in run.data.metrics
    assert set(experiments.files(run)) == {"report.html", "report.md", "definition.json", "plots/pipeline.svg"}


def broken(status: str) -> dict[str, Any]:
    return {"TrainingJobStatus": status, "FailureReason": "AlgorithmError: nan"}


def test_a_rejected_model_is_a_run_that_ended_well(tracking: Tracking, experiments: Experiments) -> None:
    better = {**OBJECTS, "s3://bucket/champion/evaluation.json": json.dumps(document(0.95))}
    made = service(objects=better, UpdateModelPackage={"ModelPackageArn": PACKAGE})
    track_result(site(made), finish(made, max_regression=0.0), tracking)
    run = experiments.run("fraud", RUN)
    assert (run.info.status, run.data.tags["verdict"]) == ("FINISHED", "rejected")
    assert run.data.metrics["difference"] == pytest.approx(-0.0857)


def test_a_step_that_came_to_no_job_has_no_run(tracking: Tracking, experiments: Experiments) -> None:
    track(service(steps=[entry("Train", "Failed", FailureReason="ClientError: no")], status="Failed"), tracking)
    assert experiments.children("fraud", RUN) == []


def test_an_execution_that_runs_is_not_recorded(tracking: Tracking, experiments: Experiments) -> None:
    with pytest.raises(DeliveryError, match=f"{EXECUTION} is Executing: record it when it has ended"):
        track(service(status="Executing"), tracking)
    assert experiments.names() == set()
