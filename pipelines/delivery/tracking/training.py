"""Training jobs as runs of MLflow."""

from collections.abc import Sequence

from pipelines.delivery.run import Site
from pipelines.delivery.tracking.places import Tracking


def track_training_jobs(site: Site, names: Sequence[str], tracking: Tracking, experiment: str) -> list[str]:
    """Record training jobs, each as a run of an experiment, and return the runs' IDs in the order of the names."""
    raise NotImplementedError
