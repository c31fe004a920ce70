"""The page of a tuning job: its pictures, its trials, and how it stands."""

from typing import Any

import pytest

from pipelines.delivery.run import Site
from pipelines.ui.pages.tuning import charts_of, read_tuning_job
from pipelines.ui.server import Server
from tests.delivery.scripted import ACCOUNT, Document, Script, ServiceRefusal, moment
from tests.ui.browsing import Client

NAME = "tune"
RANGES = {
    "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "6", "ScalingType": "Auto"}],
    "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5", "ScalingType": "Logarithmic"}],
    "CategoricalParameterRanges": [{"Name": "booster", "Values": ["gbtree", "dart"]}],
}


def described(status: str = "InProgress", **more: Any) -> Document:
    """DescribeHyperParameterTuningJob's answer."""
    return {
        "HyperParameterTuningJobName": NAME,
        "HyperParameterTuningJobArn": f"{ACCOUNT}:hyper-parameter-tuning-job/{NAME}",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:error"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": RANGES,
        },
        "TrainingJobDefinition": {"StaticHyperParameters": {"num_round": "100"}},
        "HyperParameterTuningJobStatus": status,
        "CreationTime": moment(0),
        "TrainingJobStatusCounters": {},
        "ObjectiveStatusCounters": {},
        **more,
    }


def trial(number: int, status: str = "Completed", value: float | None = None, **settings: str) -> Document:
    """A training job in its list."""
    metric = {"MetricName": "validation:error", "Type": "Minimize", "Value": value}
    told = {"FinalHyperParameterTuningJobObjectiveMetric": metric} if value is not None else {}
    return {
        "TrainingJobName": f"{NAME}-{number:03}",
        "TrainingJobArn": f"{ACCOUNT}:training-job/{NAME}-{number:03}",
        "CreationTime": moment(number),
        "TrainingJobStatus": status,
        "TunedHyperParameters": {"eta": "0.1", "max_depth": str(number), **settings},
        **told,
    }


def served(*trials: Document, job: Document | ServiceRefusal | None = None) -> Any:
    """A client of an account with one tuning job."""
    listed = {"TrainingJobSummaries": list(trials)}
    answers: Any = {
        "DescribeHyperParameterTuningJob": job or described(),
        "ListTrainingJobsForHyperParameterTuningJob": listed,
    }
    return Script(answers).session.client("sagemaker")


def test_a_job_whose_trials_have_no_values_yet_is_told_without_pictures() -> None:
    job = read_tuning_job(served(trial(1, "InProgress")), NAME)
    assert job is not None
    assert (job.is_going_on, job.planned, charts_of(job)) == (True, 4, [])
    assert (job.tuning.objective, job.tuning.minimize) == ("validation:error", True)
    assert [each.status for each in job.tuning.trials] == ["InProgress"]


def test_each_hyperparameter_has_a_picture_on_a_scale_of_its_own() -> None:
    trials = [trial(1, value=0.3, booster="dart"), trial(2, value=0.2, booster="gbtree"), trial(3, "Failed")]
    best = {**trials[1], "TrainingJobStatus": "Completed"}
    job = read_tuning_job(served(*trials, job=described("Completed", BestTrainingJob=best)), NAME)
    assert job is not None
    pictures = dict(charts_of(job))
    assert list(pictures) == ["By trial", "By eta", "By max_depth", "By booster"]
    assert "dart" in pictures["By booster"]
    assert "trial 2: validation:error 0.2, the best" in pictures["By max_depth"]
    assert ("logarithmic" in pictures["By eta"], "logarithmic" in pictures["By max_depth"]) == (True, False)
    assert [(each.name, each.says) for each in job.ranges] == [
        ("max_depth", "1 to 6"),
        ("eta", "0.05 to 0.5, logarithmic"),
        ("booster", "gbtree, dart"),
    ]


def test_a_job_that_failed_before_any_trial_says_why() -> None:
    reason = "No objective metrics found after running 4 training jobs"
    job = read_tuning_job(served(job=described("Failed", FailureReason=reason)), NAME)
    assert job is not None
    assert (job.is_going_on, job.reason, job.tuning.trials) == (False, reason, ())


def test_a_job_that_is_not_there_is_none() -> None:
    absent = ServiceRefusal("ResourceNotFound", "could not find the requested resource")
    assert read_tuning_job(served(job=absent), NAME) is None


@pytest.fixture(scope="module")
def client(workshop: tuple[Site, Server]) -> Client:
    return Client(workshop[1].url)


def test_the_trials_of_a_run_lead_to_their_training_jobs(workshop: tuple[Site, Server], client: Client) -> None:
    (job,) = workshop[0].client.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    answer = client.get(f"/tuning-jobs/{job['HyperParameterTuningJobName']}")
    assert (answer.status, answer.is_live) == (200, False)
    assert "5 of 5 trials have a value" in answer.words
    trials = [name for name in answer.page.parts if name.startswith("trial-")]
    assert len(trials) == 5
    assert sum("best" in answer.section(name) for name in trials) == 1
    linked = [link for link in answer.page.links if link.startswith("/training-jobs/")]
    assert len(linked) == 5
    assert all(client.get(link).status == 200 for link in linked)


def test_a_tuning_job_that_is_not_there_is_said(client: Client) -> None:
    answer = client.get("/tuning-jobs/nowhere")
    assert (answer.status, "there is no tuning job nowhere" in answer.words) == (404, True)
