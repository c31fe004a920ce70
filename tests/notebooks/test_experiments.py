"""2.1 and 3.1: trials are ranked by what they do on unseen rows, kept in MLflow, and the best model is registered."""

from typing import Any

from tests.notebooks.learner import Learner

TRAINING, TUNING = "2.1.Train-Exp-Pipeline", "3.1.HPO-Pipeline"
DEPTHS = ["3", "5", "7", "10", "1"]


def test_five_trials_are_ranked_recorded_and_the_best_registered(learner: Learner) -> None:
    seen = learner.run(TRAINING)
    assert seen.text("preprocess-hand").strip() == "train 3000 rows, validation 1000 rows, test 1000 rows"
    assert "validation-auc:0.740842" in seen.text("train-hand")
    assert seen.text("described").startswith("Completed in ")
    ranked = seen.rows("ranked")
    assert [row[0] for row in ranked] == DEPTHS
    assert ranked[-1][1:] == ["0.827439", "0.740842"]
    assert [row[1:3] for row in seen.rows("mlflow")] == [[row[0], row[2]] for row in ranked]
    assert all(seen.pictures(cell) for cell in ("overfitting", "run"))
    assert depth_of_the_registered_model(learner) == "3"


def test_the_best_of_ten_trials_is_registered_once_more_from_the_cache(learner: Learner) -> None:
    seen = learner.run(TUNING)
    trials = seen.rows("trials")
    assert len(trials) == 10
    best = trials[0][-1]
    assert best == max(row[-1] for row in trials)
    assert seen.text("best").splitlines()[0].endswith(f"validation:auc {best}")
    shallow = next(row[-1] for row in trials if row[1] == "1")
    assert shallow == min(row[-1] for row in trials)
    assert all(seen.pictures(cell) for cell in ("time", "which", "pipeline", "report"))
    assert [row[1:4:2] for row in seen.rows("again")] == [["Tune", "cached"], ["Register", "succeeded"]]
    assert float(best) == round(best_of_the_step(learner), 4)
    first, second = packages(learner, "workshop-tuning")
    assert first["InferenceSpecification"]["Containers"] == second["InferenceSpecification"]["Containers"]


def depth_of_the_registered_model(learner: Learner) -> str:
    (package,) = packages(learner, "workshop-max-depth")
    model = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    with learner.session() as session:
        client = session.client("sagemaker")
        listed = client.list_training_jobs(NameContains="-Train-")["TrainingJobSummaries"]
        jobs = [client.describe_training_job(TrainingJobName=job["TrainingJobName"]) for job in listed]
    (job,) = [job for job in jobs if job["ModelArtifacts"]["S3ModelArtifacts"] == model]
    return job["HyperParameters"]["max_depth"]


def best_of_the_step(learner: Learner) -> float:
    """Return the objective of the best trial of the pipeline's tuning job."""
    with learner.session() as session:
        client = session.client("sagemaker")
        listed = client.list_hyper_parameter_tuning_jobs(SortBy="CreationTime", SortOrder="Descending")
        name = listed["HyperParameterTuningJobSummaries"][0]["HyperParameterTuningJobName"]
        job = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    return float(job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def packages(learner: Learner, group: str) -> list[dict[str, Any]]:
    """Return the model packages of a group, the oldest first."""
    with learner.session() as session:
        client = session.client("sagemaker")
        listed = client.list_model_packages(ModelPackageGroupName=group, SortOrder="Ascending")
        arns = [each["ModelPackageArn"] for each in listed["ModelPackageSummaryList"]]
        return [dict(client.describe_model_package(ModelPackageName=arn)) for arn in arns]
