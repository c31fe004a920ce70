"""Checks of the DeploymentConfig that an endpoint is to be created or updated by."""

from pipelines.local.database import Database, Document
from pipelines.local.errors import ValidationError
from pipelines.local.hosting.documents import ALARM_KIND
from pipelines.local.jobs.requests import refuse

MAX_PERCENT = 50
MIN_LINEAR_PERCENT = 10
SIZES = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}


def check_deployment(database: Database, deployment: Document, config: Document) -> None:
    """Check how the traffic is to be shifted to a configuration.

    Raises:
        ValidationError: it is incomplete, too large a step, not for this machine, or names an alarm that is missing.
    """
    if "RollingUpdatePolicy" in deployment:
        policy = deployment["RollingUpdatePolicy"]
        raise refuse("DeploymentConfig.RollingUpdatePolicy", policy, "BlueGreenUpdatePolicy")
    if "BlueGreenUpdatePolicy" in deployment:
        _check_routing(deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"], config)
    for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", []):
        if database.get(ALARM_KIND, alarm["AlarmName"]) is None:
            raise ValidationError(
                f"DeploymentConfig.AutoRollbackConfiguration: alarm '{alarm['AlarmName']}' does not exist; "
                "create it with PutMetricAlarm first."
            )


def _check_routing(routing: Document, config: Document) -> None:
    place = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"
    wanted = SIZES.get(routing["Type"])
    if wanted and wanted not in routing:
        raise ValidationError(f"{place}.{wanted} is missing; a Type of {routing['Type']} needs it.")
    for member in SIZES.values():
        if member in routing and member != wanted:
            raise ValidationError(f"{place}.{member} does not go with a Type of {routing['Type']}.")
    if wanted:
        least = MIN_LINEAR_PERCENT if wanted == "LinearStepSize" else 0
        for variant in config["ProductionVariants"]:
            _check_size(routing[wanted], variant, f"{place}.{wanted}", least)


def _check_size(size: Document, variant: Document, place: str, least: int) -> None:
    percent = size["Value"]
    if size["Type"] == "INSTANCE_COUNT":
        percent = 100 * size["Value"] / variant["InitialInstanceCount"]
    if not least <= percent <= MAX_PERCENT:
        raise ValidationError(
            f"{place} is {percent:.0f}% of the {variant['InitialInstanceCount']} instance(s) of variant "
            f"'{variant['VariantName']}'; between {least}% and {MAX_PERCENT}% is allowed."
        )
