"""Endpoint configurations: which models an endpoint serves, and with which part of its requests."""

import time
from collections import Counter

from pipelines.local.database import AlreadyExists, Document
from pipelines.local.errors import ValidationError
from pipelines.local.hosting.documents import CONFIG_KIND
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.requests import check_uri, described, refuse
from pipelines.local.serving.models import hosted_model

# Members that only make sense for what this machine does not do.
REFUSED = ("AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants", "CrossRegionTrafficConfig")
REFUSED_OF_VARIANTS = ("ServerlessConfig", "InstancePools", "ManagedInstanceScaling", "AcceleratorPartitionLayouts")


class EndpointConfigs:
    """The endpoint configurations of this machine, as the service describes them; none is ever changed."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._database = machine.database

    def create(self, request: Document) -> Document:
        """Create a configuration; `request` is that of CreateEndpointConfig.

        Raises:
            ValidationError: its name is taken, a model is missing, or this machine cannot serve it.
        """
        name = request["EndpointConfigName"]
        config = {
            **described(self._machine, "DescribeEndpointConfig", request),
            "EndpointConfigArn": self._arn(name),
            "ProductionVariants": [{"InitialVariantWeight": 1.0, **it} for it in request["ProductionVariants"]],
            "CreationTime": time.time(),
        }
        with self._database.transaction():
            if self._database.get(CONFIG_KIND, name) is None:
                self._check(config)
            try:
                self._database.insert(CONFIG_KIND, name, config)
            except AlreadyExists as error:
                message = f'Cannot create already existing endpoint configuration "{self._arn(name)}".'
                raise ValidationError(message) from error
        return config

    def _check(self, config: Document) -> None:
        for member in REFUSED:
            if member in config:
                raise refuse(member, config[member], "real-time inference without it")
        variants = config["ProductionVariants"]
        repeated = [name for name, count in Counter(it["VariantName"] for it in variants).items() if count > 1]
        if repeated:
            raise ValidationError(
                f"ProductionVariants: the VariantName '{repeated[0]}' is there twice; each is unique."
            )
        for variant in variants:
            self._check_variant(variant, f"ProductionVariants['{variant['VariantName']}']")
        if not any(variant["InitialVariantWeight"] for variant in variants):
            raise ValidationError("ProductionVariants: every InitialVariantWeight is 0; one of them must be more.")
        if "DataCaptureConfig" in config:
            check_uri(config["DataCaptureConfig"]["DestinationS3Uri"], "DataCaptureConfig.DestinationS3Uri")

    def _check_variant(self, variant: Document, place: str) -> None:
        for member in REFUSED_OF_VARIANTS:
            if member in variant:
                raise refuse(f"{place}.{member}", variant[member], "InstanceType and InitialInstanceCount")
        for member in ("ModelName", "InstanceType", "InitialInstanceCount"):
            if member not in variant:
                raise ValidationError(f"{place}.{member} is missing.")
        name = variant["ModelName"]
        if self._database.get("model", name) is None:
            raise ValidationError(f'Could not find model "{self._machine.arn(f"model/{name}")}".')
        hosted_model(self._database, name)

    def describe(self, name: str) -> Document:
        """Describe a configuration.

        Raises:
            ValidationError: there is none.
        """
        config = self._database.get(CONFIG_KIND, name)
        if config is None:
            raise ValidationError(f'Could not find endpoint configuration "{self._arn(name)}".')
        return config

    def all(self) -> list[Document]:
        """Return all configurations, oldest first."""
        return self._database.list(CONFIG_KIND)

    def delete(self, name: str) -> None:
        """Delete a configuration; endpoints that serve it go on doing so.

        Raises:
            ValidationError: there is none.
        """
        with self._database.transaction():
            self.describe(name)
            self._database.delete(CONFIG_KIND, name)

    def _arn(self, name: str) -> str:
        return self._machine.arn(f"{CONFIG_KIND}/{name}")
