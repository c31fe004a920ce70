"""Experiments in MLflow: what an execution or a training job was and came to, recorded after it has ended."""

from pipelines.delivery.tracking.executions import track_execution, track_result
from pipelines.delivery.tracking.opening import quiet_mlflow
from pipelines.delivery.tracking.places import Tracking, choose_tracking, local_tracking
from pipelines.delivery.tracking.training import track_training_jobs

__all__ = [
    "Tracking",
    "choose_tracking",
    "local_tracking",
    "quiet_mlflow",
    "track_execution",
    "track_result",
    "track_training_jobs",
]
