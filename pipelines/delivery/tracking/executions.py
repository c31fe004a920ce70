"""An execution as a run of MLflow, with its training and tuning jobs below it."""

from pipelines.delivery.run import Site
from pipelines.delivery.tracking.places import Tracking


def track_execution(site: Site, execution_arn: str, tracking: Tracking) -> str:
    """Record an execution that has ended, in the experiment of its pipeline's name, and return the run's ID.

    Recorded again, it is the same run.
    """
    raise NotImplementedError
