"""The operations on endpoints and their configurations."""

from typing import Any

from pipelines.local.api.listing import containing, ordered, page, pick, within_times
from pipelines.local.api.tags import Tags
from pipelines.local.database import Document
from pipelines.local.hosting.documents import config_of
from pipelines.local.hosting.endpoints import Endpoints
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.requests import described


class EndpointOperations:
    """Endpoints and endpoint configurations, as the service shows them."""

    def __init__(self, machine: Machine, endpoints: Endpoints) -> None:
        self._machine = machine
        self._database = machine.database
        self._tags = Tags(machine.database)
        self._endpoints = endpoints
        self._configs = endpoints.configs

    def create_config(self, request: Document) -> Document:
        """CreateEndpointConfig."""
        return pick(self._configs.create(request), "EndpointConfigArn")

    def describe_config(self, request: Document) -> Document:
        """DescribeEndpointConfig."""
        return self._configs.describe(request["EndpointConfigName"])

    def list_configs(self, request: Document) -> Document:
        """ListEndpointConfigs."""
        found = containing(within_times(self._configs.all(), request), request, "EndpointConfigName")
        found = ordered(found, request, {"CreationTime": "CreationTime", "Name": "EndpointConfigName"})
        members = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        return page("EndpointConfigs", [pick(config, *members) for config in found], request)

    def delete_config(self, request: Document) -> Document:
        """DeleteEndpointConfig."""
        name = request["EndpointConfigName"]
        with self._database.transaction():
            self._tags.forget(self._configs.describe(name)["EndpointConfigArn"])
            self._configs.delete(name)
        return {}

    def create(self, request: Document) -> Document:
        """CreateEndpoint."""
        return pick(self._endpoints.create(request), "EndpointArn")

    def update(self, request: Document) -> Document:
        """UpdateEndpoint."""
        return pick(self._endpoints.update(request), "EndpointArn")

    def describe(self, request: Document) -> Document:
        """DescribeEndpoint."""
        endpoint = self._endpoints.describe(request["EndpointName"])
        config = config_of(self._database, endpoint, endpoint["EndpointConfigName"]) or {}
        capture = {"DataCaptureConfig": _capture(config["DataCaptureConfig"])} if "DataCaptureConfig" in config else {}
        return {**described(self._machine, "DescribeEndpoint", endpoint), **capture}

    def list(self, request: Document) -> Document:
        """ListEndpoints."""
        found = containing(within_times(self._endpoints.all(), request), request, "EndpointName")
        modified = {
            f"CreationTime{side}": request[f"LastModifiedTime{side}"]
            for side in ("Before", "After")
            if f"LastModifiedTime{side}" in request
        }
        found = within_times(found, modified, key="LastModifiedTime")
        status = request.get("StatusEquals")
        found = [endpoint for endpoint in found if status in (None, endpoint["EndpointStatus"])]
        keys = {"CreationTime": "CreationTime", "Name": "EndpointName", "Status": "EndpointStatus"}
        members = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
        return page("Endpoints", [pick(endpoint, *members) for endpoint in ordered(found, request, keys)], request)

    def delete(self, request: Document) -> Document:
        """DeleteEndpoint."""
        name = request["EndpointName"]
        with self._database.transaction():
            self._tags.forget(self._endpoints.find(name)["EndpointArn"])
            self._endpoints.delete(name)
        return {}


def _capture(config: dict[str, Any]) -> Document:
    """Return how DescribeEndpoint shows a configuration's data capture: on this machine nothing is captured."""
    return {
        "EnableCapture": config.get("EnableCapture", True),
        "CaptureStatus": "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        # The service requires it; there is none unless the configuration names one.
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
