"""How DescribeEndpoint shows the variants of a fleet, and a deployment that goes on."""

from pipelines.local.database import Document
from pipelines.local.hosting.deployment import Deployment, Phase
from pipelines.local.hosting.fleet import Fleet

# The service has no status for a variant that only waits for the end of the one it replaces.
VARIANT_STATUS = {
    Phase.CREATING: "Creating",
    Phase.ACTIVATING: "ActivatingTraffic",
    Phase.BAKING: "Baking",
    Phase.TERMINATING: "Baking",
}


def variants(fleet: Fleet, share: float = 1.0) -> list[Document]:
    """Return the ProductionVariants of a fleet that has a share of the traffic, which its current weights show."""
    return [
        {
            "VariantName": variant.name,
            "CurrentWeight": variant.weight * share,
            "DesiredWeight": variant.weight,
            "CurrentInstanceCount": variant.instances,
            "DesiredInstanceCount": variant.instances,
        }
        for variant in fleet.variants
    ]


def pending(green: Fleet, deployment: Deployment, started: float) -> Document:
    """Return the PendingDeploymentSummary of a deployment."""
    shown = variants(green, deployment.share)
    status = VARIANT_STATUS.get(deployment.phase)
    if status:
        statuses = [{"Status": status, "StartTime": deployment.since}]
        shown = [{**variant, "VariantStatus": statuses} for variant in shown]
    return {"EndpointConfigName": green.config_name, "ProductionVariants": shown, "StartTime": started}
