"""Experiments in MLflow: what an execution or a training job was and came to, recorded after it has ended."""

from pipelines.delivery.tracking.executions import track_execution
from pipelines.delivery.tracking.places import Tracking, local_tracking
from pipelines.delivery.tracking.training import track_training_jobs

__all__ = ["Tracking", "local_tracking", "track_execution", "track_training_jobs"]
