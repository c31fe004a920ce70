"""What a training or a tuning job was and came to, from the service's descriptions."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.tracking import track_training_jobs
from pipelines.delivery.tracking.places import Tracking
from pipelines.delivery.tracking.records import Record
from pipelines.delivery.tracking.training import training_record
from pipelines.delivery.tracking.tuning import tuning_record
from tests.delivery.runs import site
from tests.delivery.scripted import ACCOUNT, START, Document, Script, ServiceRefusal, moment
from tests.delivery.tracking.experiments import Experiments

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"


def described(request: Document) -> Document:
    """DescribeTrainingJob's answer, of a job with all that it may have."""
    name = request["TrainingJobName"]
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"{ACCOUNT}:training-job/{name}",
        "TrainingJobStatus": "Completed",
        "CreationTime": moment(0),
        "TrainingStartTime": moment(5),
        "TrainingEndTime": moment(65),
        "LastModifiedTime": moment(66),
        "HyperParameters": {
            "max_depth": "3",
            "eta": '"0.1"',
            "objective": "binary:logistic",
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"s3://bucket/code.tar.gz"',
            "_tuning_objective_metric": "validation:auc",
        },
        "FinalMetricDataList": [{"MetricName": "validation:auc", "Value": 0.75, "Timestamp": moment(60)}],
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30},
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://bucket/{name}/model.tar.gz"},
    }


def training(**changes: Any) -> Record:
    """The record of a job whose description has these members in the place of others; none of those that are None."""

    def answer(request: Document) -> Document:
        return {key: value for key, value in (described(request) | changes).items() if value is not None}

    return training_record(Script({"DescribeTrainingJob": answer}).session.client("sagemaker"), "job")


def seconds(record: Record) -> tuple[float | None, float | None]:
    """When the job began and ended, in seconds after the start of time in these tests."""
    times = [None if at is None else (at - START).total_seconds() for at in (record.started, record.ended)]
    return times[0], times[1]


def test_a_training_job_says_what_it_was_and_came_to() -> None:
    record = training()
    assert (record.key, record.name, record.status) == (f"{ACCOUNT}:training-job/job", "job", "FINISHED")
    assert seconds(record) == (5, 65)
    assert record.tags == {
        "status": "Completed",
        "failure_reason": None,
        "image": IMAGE,
        "instance": "2 of ml.m5.xlarge",
        "model": "s3://bucket/job/model.tar.gz",
    }
    metric = record.metrics["validation:auc"]
    assert (metric.value, metric.at and (metric.at - START).total_seconds()) == (0.75, 60)


def test_hyperparameters_are_those_that_a_person_set_as_they_were_set() -> None:
    assert training().parameters == {"max_depth": "3", "eta": "0.1", "objective": "binary:logistic"}


@pytest.mark.parametrize(("status", "word"), [("Failed", "FAILED"), ("Stopped", "KILLED")])
def test_a_job_that_never_started_has_the_times_that_are_known(status: str, word: str) -> None:
    record = training(
        TrainingJobStatus=status,
        FailureReason="CapacityError: none left",
        TrainingStartTime=None,
        TrainingEndTime=None,
        FinalMetricDataList=None,
        HyperParameters=None,
        ModelArtifacts=None,
    )
    assert (record.status, seconds(record)) == (word, (0, 66))
    assert (record.parameters, record.metrics, record.tags["model"]) == ({}, {}, None)
    assert record.tags["failure_reason"] == "CapacityError: none left"


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_job_that_runs_has_no_end(status: str) -> None:
    record = training(TrainingJobStatus=status, TrainingEndTime=None)
    assert (record.status, seconds(record)) == ("RUNNING", (5, None))


def test_an_algorithm_of_the_marketplace_is_named_where_there_is_no_image() -> None:
    algorithm = {"AlgorithmName": "forest", "TrainingInputMode": "File"}
    assert training(AlgorithmSpecification=algorithm).tags["image"] == "forest"


def trial(number: int, value: float | None, **more: Any) -> Document:
    """One trial of ListTrainingJobsForHyperParameterTuningJob's answer."""
    metric = {"Type": "Maximize", "MetricName": "validation:auc", "Value": value}
    return {
        "TrainingJobName": f"tune-00{number}",
        "TrainingJobArn": f"{ACCOUNT}:training-job/tune-00{number}",
        "CreationTime": moment(number),
        "TrainingStartTime": moment(number + 1),
        "TrainingEndTime": moment(number + 9),
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {"max_depth": str(number), "booster": '"gbtree"'},
        **({} if value is None else {"FinalHyperParameterTuningJobObjectiveMetric": metric}),
        **more,
    }


FAILED = trial(2, None, TrainingJobStatus="Failed", FailureReason="AlgorithmError: nan")
TRIALS: list[Document] = [
    {"TrainingJobSummaries": [trial(1, 0.8), FAILED], "NextToken": "more"},
    {"TrainingJobSummaries": [trial(3, 0.9)]},
]
TUNING: Document = {
    "HyperParameterTuningJobName": "tune",
    "HyperParameterTuningJobArn": f"{ACCOUNT}:hyper-parameter-tuning-job/tune",
    "HyperParameterTuningJobStatus": "Completed",
    "CreationTime": moment(0),
    "HyperParameterTuningEndTime": moment(30),
    "HyperParameterTuningJobConfig": {
        "Strategy": "Bayesian",
        "ResourceLimits": {"MaxParallelTrainingJobs": 2},
        "ParameterRanges": {
            "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "6"}],
            "CategoricalParameterRanges": [{"Name": "booster", "Values": ["gbtree", "dart"]}],
        },
    },
    "TrainingJobDefinition": {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket"},
        "StoppingCondition": {},
        "RoleArn": "arn:aws:iam::000000000000:role/r",
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StaticHyperParameters": {"seed": "42", "sagemaker_program": '"train.py"'},
    },
    "TrainingJobStatusCounters": {"Completed": 2, "NonRetryableError": 1},
    "BestTrainingJob": trial(3, 0.9),
}


def tuning(*, with_trials: bool = True, **changes: Any) -> Record:
    """The record of a tuning job."""
    listing = "ListTrainingJobsForHyperParameterTuningJob"
    service = Script({"DescribeHyperParameterTuningJob": TUNING | changes, listing: list(TRIALS)})
    return tuning_record(service.session.client("sagemaker"), "tune", "Tune", with_trials=with_trials)


def test_a_tuning_job_says_its_ranges_and_what_was_best() -> None:
    record = tuning()
    assert (record.kind, record.name, record.status, seconds(record)) == ("tuning job", "Tune", "FINISHED", (0, 30))
    assert record.parameters == {
        "seed": "42",
        "max_depth": "1 to 6",
        "booster": "gbtree | dart",
        "best max_depth": "3",
        "best booster": "gbtree",
        "strategy": "Bayesian",
    }
    assert record.metrics["validation:auc"].value == 0.9
    assert (record.tags["best_training_job"], record.tags["instance"]) == ("tune-003", "ml.m5.xlarge")


def test_every_trial_of_every_page_is_below_it_and_the_best_is_marked() -> None:
    trials = tuning().children
    assert [(each.name, each.status, each.tags["best"]) for each in trials] == [
        ("trial 1", "FINISHED", None),
        ("trial 2", "FAILED", None),
        ("trial 3 (best)", "FINISHED", "true"),
    ]
    assert trials[0].parameters == {"max_depth": "1", "booster": "gbtree"}
    assert [list(each.metrics) for each in trials] == [["validation:auc"], [], ["validation:auc"]]
    assert (trials[1].tags["failure_reason"], seconds(trials[1])) == ("AlgorithmError: nan", (3, 11))


def test_trials_that_are_not_asked_for_are_not_listed() -> None:
    assert tuning(with_trials=False).children == ()


def test_training_jobs_are_recorded_in_the_order_of_their_names(tracking: Tracking, experiments: Experiments) -> None:
    where = site(Script({"DescribeTrainingJob": described}))
    ids = track_training_jobs(where, ["b", "a"], tracking, "max_depth")
    assert [experiments.run("max_depth", name).info.run_id for name in ("b", "a")] == ids
    assert track_training_jobs(where, ["a", "b", "c"], tracking, "max_depth")[:2] == ids[::-1]
    assert experiments.children("max_depth", None) == ["a", "b", "c"]
    assert experiments.run("max_depth", "a").data.metrics == {"validation:auc": 0.75}


def test_a_job_that_is_not_there_makes_no_experiment(tracking: Tracking, experiments: Experiments) -> None:
    missing = Script({"DescribeTrainingJob": ServiceRefusal("ValidationException", "Requested resource not found.")})
    with pytest.raises(ClientError, match="not found"):
        track_training_jobs(site(missing), ["gone"], tracking, "max_depth")
    assert experiments.names() == set()
