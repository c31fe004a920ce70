"""Where a tuning job stands, as DescribeHyperParameterTuningJob shows it."""

from collections import Counter
from collections.abc import Sequence

from pipelines.local.database import Document
from pipelines.local.jobs.trials import Trial, summary


def progress(trials: Sequence[Trial], tuning_job: str) -> Document:
    """Return the counters, the best training job, and the summaries of the trials that have begun, best first."""
    ordered = best_first(trials)
    status = Counter(trial.status for trial in ordered)
    objective = Counter(trial.objective_status for trial in ordered)
    summaries = [summary(trial, tuning_job) for trial in ordered]
    document: Document = {
        "TrainingJobStatusCounters": {
            "Completed": status["Completed"],
            "InProgress": status["InProgress"],
            "RetryableError": 0,
            "NonRetryableError": status["Failed"],
            "Stopped": status["Stopped"],
        },
        "ObjectiveStatusCounters": {name: objective[name] for name in ("Succeeded", "Pending", "Failed")},
        "TrainingJobSummaries": summaries,
    }
    if ordered and ordered[0].value is not None:
        document["BestTrainingJob"] = summaries[0]
    return document


def best_first(trials: Sequence[Trial]) -> list[Trial]:
    """Return trials in the order of their results, then those that have none.

    Trials that were ended early come after those that were not, also in the unlikely case that their last value is
    better: they left no model.
    """
    return sorted(
        trials,
        key=lambda trial: (
            trial.score is None,
            trial.ended_early,
            0.0 if trial.score is None else -trial.score,
            trial.number,
        ),
    )
