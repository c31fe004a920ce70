"""The VPC of jobs and models by the settings, as each class of the SDK takes it; none where they name none."""

from typing import Any

from pipelines.fraud import sdk, settings


def of_processing() -> Any:
    """Return the network of a processing job."""
    return sdk.NetworkConfig(**_ids()) if settings.SUBNETS else None


def of_training_and_models() -> Any:
    """Return the network of a training job, of trials, or of a model."""
    return sdk.Networking(**_ids()) if settings.SUBNETS else None


def _ids() -> dict[str, list[str]]:
    return {"subnets": list(settings.SUBNETS), "security_group_ids": list(settings.SECURITY_GROUPS)}
